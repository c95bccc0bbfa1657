"""The record of a run for other tools: exams for Inspect, the session for the Hub's trace viewer, tables as Parquet."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from ...memory.errors import RunError, UsageError
from ...memory.reading import Run
from ...memory.records import Exam, Split, Task
from ..commands.items import tasks
from ..reports.results import result
from ..reports.summary import Json
from . import cards, evals, exporting, story
from .answers import Asking

Kind = Literal["exams", "trace", "tables"]
TABLES = ("samples", "attempts", "rounds", "spans")


def export_record(run: Run, kind: Kind, target: Path, *, ask: bool = True, force: bool = False) -> Json:
    """Write part of the record as a folder.

    Args:
        run: of the session.
        kind: `exams`, `trace` or `tables`.
        target: the folder.
        ask: for exams, ask the students that are here again, to show what they said.
        force: replace an earlier export.

    Raises:
        UsageError: there is nothing to write, or the target is taken.
        RunError: the tasks of an exam cannot be drawn again.
    """
    with exporting.staged(target, force=force, single=False) as staging:
        if kind == "exams":
            facts = _exams(run, staging, ask=ask)
        else:
            facts = WRITERS[kind](run, staging)
            card = cards.record_card(run, result(run.path), kind=kind, configs=facts.pop("configs"))
            (staging / exporting.CARD).write_text(card, encoding="utf-8")
        exporting.mark(run, staging, {"export": kind, **facts})
    return {"event": "export", "run": run.name, "export": kind, **facts, "out": str(target)}


def _exams(run: Run, folder: Path, *, ask: bool) -> Json:
    """One log for each student and split."""
    exams = run.ledger.read(Exam)
    if not exams:
        raise UsageError(f"{run.name}: no exam was sat yet; export its exams once the baseline is done")
    drawn: dict[Split, list[Task]] = {}
    asking, answered = Asking(run) if ask else None, 0
    for exam in exams:
        if exam.split not in drawn:
            drawn[exam.split] = tasks(run.path, exam.split)
        items = drawn[exam.split]
        if len(items) != len(exam.passed):
            raise RunError(
                f"{run.name}: {exam.split} has {len(items)} tasks now and had {len(exam.passed)} when it was examined; "
                "export with the version that ran the session"
            )
        answers = asking.ask(exam, items) if asking else {}
        answered += len(answers)
        evals.write(run, exam, items, answers, folder)
    return {"files": len(exams), "items": sum(len(exam.passed) for exam in exams), "answered": answered}


def _trace(run: Run, folder: Path) -> Json:
    count = story.write(run, folder / "session.jsonl")
    return {"files": 1, "messages": count, "configs": {"default": "session.jsonl"}}


def _tables(run: Run, folder: Path) -> Json:
    import pyarrow.parquet as pq

    rows: dict[str, int] = {}
    for name in TABLES:
        table = {"samples": run.samples, "attempts": run.attempts, "rounds": run.rounds, "spans": run.spans}[name]()
        pq.write_table(table, folder / f"{name}.parquet", write_page_checksum=True)
        rows[name] = table.num_rows
    return {"files": len(rows), "rows": rows, "configs": {name: f"{name}.parquet" for name in TABLES}}


WRITERS: Mapping[Kind, Callable[[Run, Path], Json]] = {"trace": _trace, "tables": _tables}
