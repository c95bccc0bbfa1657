"""What is wrong with the tasks that the exams would hold, found by drawing every exam before anything runs."""

from collections import Counter
from collections.abc import Iterator

from ..memory.errors import PartError
from ..memory.records import Split, Task
from ..scenarios.splits import Splits
from ..training.reading import Reader
from .leaking import told
from .parts import Parts
from .reasoned import lost

FEW = 10
"""Items per skill that are looked at where an exam cannot be drawn whole."""
SHOWN = 60
"""Characters of a prompt that is too long in a message."""


def mistakes(splits: Splits, parts: Parts, reader: Reader, *, limit: int | None) -> list[str]:
    """Say what keeps exams from being held, once for each skill: short, shared, unreadable or unanswerable.

    Args:
        splits: draws the exams.
        parts: judge the references.
        reader: how the student reads.
        limit: items per skill at most, where not whole exams are wanted.
    """
    seen: dict[str, str] = {}
    found: dict[tuple[str, str], str] = {}
    sizes = splits.scenario.splits
    examined: list[Task] = []
    exams: dict[Split, int] = {"select": sizes.select, "guard": sizes.guard, "report": sizes.sealed}
    for split, wanted in exams.items():
        items = splits.items(split, limit=limit)
        examined += items
        for skill, count in Counter(task.skill for task in items).items():
            if limit is None and count < wanted:
                said = f"{split} needs {wanted} tasks of {skill!r} and finds {count}; widen the skill"
                found.setdefault((skill, split), said)
        for task in items:
            owner = seen.setdefault(task.key, task.skill)
            for kind, said in (*_shared(task, owner), *_wrong(task, parts, reader)):
                found.setdefault((task.skill, kind), said)
    if (overlap := parts.source.overlap(splits.part)) is not None:
        found["", "overlap"] = overlap
    given = told(splits.scenario, examined, prose=parts.source.prose)
    return [*dict.fromkeys(found.values()), *given, *lost(parts.operators, splits.scenario, reader)]


def _shared(task: Task, owner: str) -> Iterator[tuple[str, str]]:
    if owner != task.skill:
        yield "shared", f"{task.prompt!r} is a task of {owner!r} and of {task.skill!r}; keep skills apart"


def _wrong(task: Task, parts: Parts, reader: Reader) -> Iterator[tuple[str, str]]:
    """Kind and words of what is wrong with one task."""
    if (refusal := reader.refusal(task.question, task.answer)) is not None:
        yield "refused", f"skills.{task.skill} holds conversations: {refusal}"
        return
    if (strange := reader.unreadable(task.prompt + task.answer)) is not None:
        yield "unreadable", f"{task.prompt!r} holds {strange!r}, which the student cannot read"
    elif (length := reader.length(task.question, task.answer)) > reader.positions:
        said = (
            f"{task.prompt[:SHOWN]!r}… comes to {length:,} tokens, and the student has {reader.positions:,} positions"
        )
        yield "long", said
    if task.talk and parts.teacher.asks:
        said = (
            f"skills.{task.skill} holds conversations, which teacher {parts.teacher.name!r} does not write; choose "
            "teacher.name = 'program', which draws them from the source"
        )
        yield "unwritten", said
    if parts.verifier.asks:
        # its judges are tried on references when the session begins
        return
    try:
        right = parts.verifier.judge(task, task.answer).passed
    except (ValueError, PartError) as error:
        yield "unanswerable", str(error)
        return
    if not right:
        yield "unanswerable", f"verifier {parts.verifier.name!r} refuses the reference of {task.prompt!r}"
