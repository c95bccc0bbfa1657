"""Scores a student on a task of Inspect, item by item; run by `evaluations/inspect.py`, never imported.

`inspection.py STUDENT OUT SETTINGS`; it imports nothing of this package, so the Python that runs it need not have it.
"""

# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def main(student: str, out: str, said: str) -> None:
    """Evaluate, and write a line an item."""
    import torch
    from inspect_ai import eval as inspect_eval
    from inspect_ai.model import GenerateConfig, get_model

    settings = json.loads(said)
    model = get_model(
        "hf/student",
        model_path=student,
        device="cuda" if torch.cuda.is_available() else "cpu",
        do_sample=False,
        batch_size=settings["batch"],
        config=GenerateConfig(max_tokens=settings["longest"], max_connections=settings["batch"]),
    )
    with tempfile.TemporaryDirectory() as folder:
        (log,) = inspect_eval(
            settings["task"],
            model=model,
            task_args=settings["given"],
            limit=settings["limit"],
            epochs=1,
            log_dir=folder,
            display="plain",
        )
        # samples are read from the log when they are asked for
        lines = [json.dumps(item) for item in scored(log, settings["metric"])]
    Path(out).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def scored(log: Any, metric: str) -> Iterator[dict[str, Any]]:
    """Every sample with its score."""
    if log.status != "success":
        sys.exit(f"Inspect ended with {log.status!r}: {log.error.message if log.error else 'it said nothing'}")
    from inspect_ai.scorer import value_to_float

    number = value_to_float()
    for sample in log.samples or []:
        scores = sample.scores or {}
        name = metric or next(iter(scores), "")
        if name not in scores:
            sys.exit(f"item {sample.id!r} was not scored by {name!r}; its scorers: {', '.join(scores) or 'none'}")
        prompt = sample.input if isinstance(sample.input, str) else "\n".join(turn.text for turn in sample.input)
        yield {"id": str(sample.id), "score": float(number(scores[name].value)), "prompt": prompt}


if __name__ == "__main__":
    main(*sys.argv[1:])
