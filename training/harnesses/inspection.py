"""Scores a student on a task of Inspect, item by item; run by `evaluations/inspect.py`, never imported.

`inspection.py STUDENT OUT SETTINGS`; it imports nothing of this package, so the Python that runs it need not have it.
"""

# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

STUDENT = "hf/student"
"""What the student is called."""
MEANS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
"""Words of scorers: correct, partially so, incorrect, no answer."""


def main(student: str, out: str, said: str) -> None:
    """Evaluate, and write a line an item."""
    import torch
    from inspect_ai import eval as inspect_eval
    from inspect_ai.model import GenerateConfig, ModelInfo, get_model, set_model_info

    settings = json.loads(said)
    place = Path(settings["path"])
    model = get_model(
        STUDENT,
        model_path=student,
        device="cuda" if torch.cuda.is_available() else "cpu",
        do_sample=False,
        batch_size=settings["batch"],
        config=GenerateConfig(max_tokens=settings["longest"], max_connections=settings["batch"]),
    )
    # of a model that it knows nothing of, Inspect would ask the hub for one of that name
    set_model_info(STUDENT, ModelInfo())
    with tempfile.TemporaryDirectory() as folder:
        # a file's folder may have an @ in its name, and the name of an installed task may be that of a file here
        os.chdir(place.parent if settings["path"] else folder)
        logs = inspect_eval(
            only(place.name) if settings["path"] else settings["task"],
            model=model,
            task_args=settings["given"],
            limit=settings["limit"],
            epochs=1,
            log_dir=folder,
            display="plain",
        )
        # samples are read from the log when they are asked for
        lines = [json.dumps(item) for log in logs for item in scored(log, settings["metric"])]
    Path(out).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def only(file: str) -> str:
    """Name of a file with that of its only task, where it says none."""
    if "@" in file:
        return file
    from inspect_ai import list_tasks

    names = sorted(task.name for task in list_tasks(file, root_dir=Path.cwd()))
    if len(names) != 1:
        sys.exit(f"{file} holds {len(names)} tasks: {', '.join(names) or 'none'}; say which, as in {file}@mine")
    return f"{file}@{names[0]}"


def scored(log: Any, metric: str) -> Iterator[dict[str, Any]]:
    """Every sample with its score."""
    if log.eval.model != STUDENT:
        sys.exit(f"the task asked {log.eval.model}, not the student; let it name no model")
    if log.status != "success":
        sys.exit(f"Inspect ended with {log.status!r}: {log.error.message if log.error else 'it said nothing'}")
    for sample in log.samples or []:
        scores = sample.scores or {}
        name = metric or next(iter(scores), "")
        if name not in scores:
            sys.exit(f"item {sample.id!r} was not scored by {name!r}; its scorers: {', '.join(scores) or 'none'}")
        if (score := number(value := scores[name].value)) is None:
            sys.exit(f"{name!r} gives item {sample.id!r} {value!r}, which is no score from 0 to 1; name another scorer")
        yield {"id": str(sample.id), "score": score, "prompt": own(sample.input)}


def number(value: Any) -> float | None:
    """A score as a number; Inspect's own way takes whatever it does not know for 0."""
    try:
        score = float(MEANS.get(value, value) if isinstance(value, str) else value)
    except (TypeError, ValueError):
        return None
    return score if 0 <= score <= 1 else None


def own(asked: Any) -> str:
    """What an item asks without what all items have in front, such as a system message."""
    return asked if isinstance(asked, str) else "\n".join(turn.text for turn in asked if turn.role == "user")


if __name__ == "__main__":
    main(*sys.argv[1:])
