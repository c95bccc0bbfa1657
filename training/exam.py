"""Examining a student on a fixed list of items.

Where passing means giving the reference answer, and that has one spelling in tokens, a greedy exam is one
teacher-forced pass: the student passes exactly when the arg-max at every position of the answer is the reference.
Otherwise it answers and the verifier judges.
"""

from collections import Counter
from collections.abc import Sequence
from math import fsum
from typing import NamedTuple

from ..memory.errors import EvolventError
from ..memory.inference import NOBODY, Engine, Models, Request
from ..memory.records import PARTIAL, Arm, Exam, Record, Score, Split, Task
from ..memory.said import Said
from ..memory.talk import Question, text_of
from ..memory.trace import span
from ..scenarios.verifier import Verifier

KEPT = 100
"""Wrong answers that are kept of every skill."""
LONGEST = 500
"""Characters that are kept of one."""


class Sat(NamedTuple):
    """An exam that was sat."""

    exam: Exam
    said: Said | None
    """What was wrong in it; None where nothing was, or where asking for it would cost money."""

    @property
    def records(self) -> list[Record]:
        """Both, for the ledger."""
        return [self.exam] if self.said is None else [self.exam, self.said]


async def sit(
    engine: Engine, tasks: Sequence[Task], verifier: Verifier, *, longest: int, models: Models = NOBODY
) -> list[float]:
    """Give the score of every task, in [0, 1]; `models` are those that the verifier asks."""
    return (await _sit(engine, tasks, verifier, models, longest=longest))[0]


async def examine(
    engine: Engine, tasks: Sequence[Task], verifier: Verifier, *, split: Split, round: int, arm: Arm, longest: int,
    models: Models = NOBODY,
) -> Sat:  # fmt: skip
    """Examine a student on one split, and keep what it said where it was wrong; `models` as in `sit`."""
    with span("exam", split=split, student=engine.student, items=len(tasks)) as step:
        marks, answers = await _sit(engine, tasks, verifier, models, longest=longest)
        step["score"] = fsum(marks) / max(1, len(marks))
        wrong = _first_wrong(tasks, marks)
        if answers is None and wrong and not engine.paid:
            asked = await engine.answer([Request.of(tasks[i].question, longest) for i in wrong])
            answers = dict(zip(wrong, (answer.answer for answer in asked), strict=True))
    exam = Exam(
        round=round,
        student=engine.student,
        arm=arm,
        split=split,
        scores=score(tasks, marks),
        passed="".join(PARTIAL if 0 < m < 1 else str(int(m)) for m in marks),
        partial=tuple(m for m in marks if 0 < m < 1),
    )
    kept = {str(i + 1): answers[i][:LONGEST] for i in wrong} if answers else {}
    said = Said(round=round, exam=exam.id, exact=verifier.teacher_forced, answers=kept) if kept else None
    return Sat(exam, said)


async def _sit(
    engine: Engine, tasks: Sequence[Task], verifier: Verifier, models: Models, *, longest: int
) -> tuple[list[float], dict[int, str] | None]:
    """Scores, and answers by place where any were given."""
    if verifier.teacher_forced and engine.forced:
        return [float(agreed) for agreed in await engine.agrees([(t.question, t.answer) for t in tasks])], None
    answers = await engine.answer([Request.of(task.question, longest) for task in tasks])
    verdicts = await verifier.judged(tasks, [answer.answer for answer in answers], models=models)
    return [verdict.score for verdict in verdicts], {place: answer.answer for place, answer in enumerate(answers)}


def _first_wrong(tasks: Sequence[Task], marks: Sequence[float]) -> list[int]:
    """Places of the first wrong items of every skill."""
    found, counts = [], Counter[str]()
    for place, (task, mark) in enumerate(zip(tasks, marks, strict=True)):
        if mark < 1 and counts[task.skill] < KEPT:
            counts[task.skill] += 1
            found.append(place)
    return found


async def canary(engine: Engine, prompts: Sequence[Question], *, longest: int) -> None:
    """Check that the weights that answer are the weights that are examined.

    What the engine says freely must be what it holds most likely, token by token; a server that mixes two sets of
    weights, or answers for another request, fails here. Where the same text has several spellings in tokens nothing can
    be said of that.

    Raises:
        EvolventError: naming the first prompt whose answer does not stand.
    """
    if not engine.forced:
        return
    said = await engine.answer([Request.of(prompt, longest) for prompt in prompts])
    pairs = [(prompt, answer.answer) for prompt, answer in zip(prompts, said, strict=True) if answer.complete]
    for (prompt, answer), stands in zip(pairs, await engine.agrees(pairs), strict=True):
        if not stands:
            raise EvolventError(
                f"canary: {engine.student} answers {text_of(prompt)!r} with {answer!r} and does not hold it most "
                "likely; the engine serves other weights than it loaded, restart it and resume"
            )


def score(tasks: Sequence[Task], marks: Sequence[float]) -> dict[str, Score]:
    """Count by skill, and sum where scores are graded."""
    scores: dict[str, Score] = {}
    for skill in sorted({task.skill for task in tasks}):
        own = [mark for task, mark in zip(tasks, marks, strict=True) if task.skill == skill]
        graded = any(0 < mark < 1 for mark in own)
        scores[skill] = Score(passed=own.count(1.0), tried=len(own), total=fsum(own) if graded else None)
    return scores


def pick(exam: Exam, tasks: Sequence[Task], skill: str) -> list[float]:
    """Scores on the items of one skill."""
    return [mark for task, mark in zip(tasks, exam.marks, strict=True) if task.skill == skill]
