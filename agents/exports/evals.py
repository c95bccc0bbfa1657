"""Exams as logs of Inspect: one `.eval` file for each student and split, as Inspect's own viewer and readers open them.

A log is a zip of JSON: `header.json`, `summaries.json`, a file per sample, and the journal of how it was begun. An exam
keeps results, not answers, so a student that is on this machine is asked again; greedy answers are the same every time.

Source: version 2 of the format, https://inspect.aisi.org.uk/eval-logs.html
"""

import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...memory import files
from ...memory.reading import Run
from ...memory.records import Exam, Task, Verdict
from ..reports.summary import Json
from .answers import Answer

VERSION = 2
EPOCH = 1
"""Every item is asked once."""


def write(run: Run, exam: Exam, tasks: Sequence[Task], answers: Mapping[str, Answer], folder: Path) -> Path:
    """Write one exam.

    Args:
        run: of the session.
        exam: the results.
        tasks: its items, in its order.
        answers: what the student said, by id of the task; what is not there stays open.
        folder: where the file goes.
    """
    head = _head(run, exam, tasks)
    samples = [
        _sample(number, task, mark, answers.get(task.id), exam, head["eval"])
        for number, (task, mark) in enumerate(zip(tasks, exam.marks, strict=True), start=1)
    ]
    summaries = [_summary(sample) for sample in samples]
    start = {key: head[key] for key in ("version", "eval", "plan")}
    path = folder / f"{_stamp(head['eval']['created'])}_{head['eval']['task']}_{exam.id}.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as log:
        members: dict[str, Any] = {
            "_journal/start.json": start,
            **{f"samples/{sample['id']}_epoch_{EPOCH}.json": sample for sample in samples},
            "_journal/summaries/1.json": summaries,
            "summaries.json": summaries,
            "header.json": head,
        }
        for name, member in members.items():
            log.writestr(zipfile.ZipInfo(name), json.dumps(member), zipfile.ZIP_DEFLATED)
    return path


def _head(run: Run, exam: Exam, tasks: Sequence[Task]) -> Json:
    began, seconds = _sat(run, exam)
    model = f"evolvent/{exam.student}"
    scorer = str(run.scenario.get("verifier", {}).get("name", "verifier"))
    facts = {"run": run.name, "round": exam.round, "arm": exam.arm, "split": exam.split, "student": exam.student}
    tags = ["evolvent", exam.arm]
    return {
        "version": VERSION,
        "status": "success",
        "eval": {
            "eval_id": exam.id,
            "run_id": run.session.id,
            "created": _iso(began),
            "task": f"{run.session.name}-{exam.split}".replace("_", "-"),
            # of logs with one task id the viewer takes all but the last for failed tries
            "task_id": files.digest([run.name, exam.id]),
            "task_version": 0,
            "dataset": {
                "name": run.session.name,
                "samples": len(tasks),
                "sample_ids": list(range(1, len(tasks) + 1)),
                "shuffled": False,
            },
            "model": model,
            "model_args": {},
            "model_generate_config": {"temperature": 0.0},
            "config": {"epochs": EPOCH},
            "scorers": [{"name": scorer, "options": {}, "metrics": [], "metadata": {}}],
            "metadata": facts,
            "tags": tags,
        },
        "plan": {"name": "plan", "steps": [{"solver": "generate", "params": {}}], "config": {}},
        "results": {
            "total_samples": len(tasks),
            "completed_samples": len(tasks),
            "scores": [{"name": scorer, "scorer": scorer, "params": {}, "metrics": _metrics(exam)}],
        },
        "tags": tags,
        "metadata": facts,
        "stats": {"started_at": _iso(began), "completed_at": _iso(began + seconds), "model_usage": {}},
    }


def _metrics(exam: Exam) -> Json:
    """The mean over all items with its standard error, and the mean of every skill."""
    marks = exam.marks
    mean = math.fsum(marks) / max(1, len(marks))
    spread = math.fsum((mark - mean) ** 2 for mark in marks) / max(1, len(marks) - 1)
    values = {"accuracy": mean, "stderr": math.sqrt(spread / max(1, len(marks)))}
    values |= {skill: s.rate for skill, s in exam.scores.items() if skill not in values and s.tried}
    return {name: {"name": name, "value": value, "params": {}} for name, value in values.items()}


def _sample(number: int, task: Task, mark: float, answer: Answer | None, exam: Exam, about: Json) -> Json:
    said = [{"role": "assistant", "content": answer.text, "source": "generate"}] if answer else []
    choice = {"message": said[0], "stop_reason": "stop" if answer.complete else "max_tokens"} if answer else None
    graded = set(exam.marks) - {0.0, 1.0}
    score: Json = {
        "value": mark if graded else "C" if mark == 1 else "I",
        "answer": answer.text if answer else None,
        "explanation": _why(answer.verdict if answer else None, mark),
    }
    return {
        "id": number,
        "epoch": EPOCH,
        "input": task.prompt,
        "target": task.answer,
        "messages": [{"role": "user", "content": task.prompt, "source": "input"}, *said],
        "output": {
            "model": about["model"],
            "choices": [choice] if choice else [],
            "completion": answer.text if answer else "",
        },
        "scores": {about["scorers"][0]["name"]: score},
        "metadata": {"skill": task.skill, "key": task.key, "features": list(task.features), "score": mark},
        "store": {},
        "events": [],
        "model_usage": {},
        "attachments": {},
    }


def _why(verdict: Verdict | None, mark: float) -> str:
    """What the verifier says; a different score now is said, the one on the record counts."""
    if verdict is None:
        return "the answer was not kept, and the student is not asked again"
    if verdict.score != mark:
        return f"{verdict.reason} (asked again it scores {verdict.score:g}; on the record it has {mark:g})"
    return verdict.reason


def _summary(sample: Json) -> Json:
    return {key: sample[key] for key in ("id", "epoch", "input", "target", "scores", "metadata")} | {"completed": True}


def _sat(run: Run, exam: Exam) -> tuple[float, float]:
    """When an exam was sat and how long it took, by the trace; without it, when the ledger was last written."""
    for step in run.trace.every(f'"student": "{exam.student}"', most=1_000):
        if step.name == "exam" and step.attributes.get("split") == exam.split:
            return step.started, step.seconds
    return (run.path / "ledger.sqlite").stat().st_mtime, 0.0


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _stamp(iso: str) -> str:
    return iso.replace(":", "-")
