"""Scores a student on a task of lm-eval, item by item; run by `evaluations/lm_eval.py`, never imported.

`lm.py STUDENT OUT SETTINGS`; it imports nothing of this package, so the Python that runs it need not have it.
"""

# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def main(student: str, out: str, said: str) -> None:
    """Evaluate, and write a line an item."""
    import lm_eval
    import torch
    from lm_eval.tasks import TaskManager

    held = {}

    class Tasks(TaskManager):
        """Holds on to the tasks that are evaluated: only they know what of a prompt is the item's own."""

        def load(self, *given: Any, **more: Any) -> Any:
            loaded = super().load(*given, **more)
            held.update(loaded["tasks"])
            return loaded

    settings = json.loads(said)
    tasks = Tasks(include_path=settings["path"] or None)
    if settings["task"] not in tasks.all_tasks:
        import difflib

        near = difflib.get_close_matches(settings["task"], tasks.all_tasks, 3)
        sys.exit(f"lm-eval has no task {settings['task']!r}; it has {', '.join(near) or 'none like it'}")
    found = lm_eval.simple_evaluate(
        model="hf",
        model_args={"pretrained": student, "trust_remote_code": False},
        tasks=[settings["task"]],
        task_manager=tasks,
        num_fewshot=settings["shots"],
        batch_size=settings["batch"],
        device="cuda" if torch.cuda.is_available() else "cpu",
        limit=settings["limit"],
        apply_chat_template=settings["chat"],
        log_samples=True,
        bootstrap_iters=0,
    )
    lines = [json.dumps(item) for item in scored(found, held, settings["metric"])]
    Path(out).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def scored(found: dict[str, Any], tasks: dict[str, Any], metric: str) -> Iterator[dict[str, Any]]:
    """Items of every task, each once: with several filters the first one is meant."""
    for task, samples in sorted(found["samples"].items()):
        higher = found["higher_is_better"].get(task, {})
        seen = set()
        for sample in samples:
            if sample["doc_id"] in seen:
                continue
            seen.add(sample["doc_id"])
            name = metric or sample["metrics"][0]
            if name not in sample["metrics"]:
                sys.exit(f"task {task!r} has no metric {name!r}; it has: {', '.join(sample['metrics'])}")
            if not higher.get(name, True):
                sys.exit(
                    f"{name!r} of task {task!r} is better where it is lower, which no guard can hold; name another"
                )
            score = sample[name]
            if isinstance(score, (list, tuple)) or not 0 <= float(score) <= 1:
                sys.exit(f"{name!r} of task {task!r} gives {score!r}, which is no score from 0 to 1; name another")
            yield {
                "id": f"{task}/{sample['doc_id']:06}",
                "score": float(score),
                "prompt": own(sample, tasks.get(task)),
            }


def own(sample: dict[str, Any], task: Any) -> str:
    """What an item asks without what all items have in front: a description, solved examples, a chat template."""
    said = [*([task.doc_to_text(sample["doc"])] if task else []), sample["arguments"][0][0]]
    return next((text for text in said if text and isinstance(text, str)), "")


if __name__ == "__main__":
    main(*sys.argv[1:])
