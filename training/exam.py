"""Examining a student on a fixed list of items.

Where passing means giving the reference answer, a greedy exam is one teacher-forced pass: the student passes exactly
when the arg-max at every position of the answer is the reference. Otherwise it answers and the verifier judges.
"""

from collections.abc import Sequence

from ..memory.errors import EvolventError
from ..memory.inference import Engine, Request
from ..memory.records import Arm, Exam, Score, Split, Task
from ..memory.trace import span
from ..scenarios.verifier import Verifier


async def sit(engine: Engine, tasks: Sequence[Task], verifier: Verifier, *, longest: int) -> str:
    """Give one character per task: `1` passed, `0` failed."""
    if verifier.teacher_forced:
        passed = await engine.agrees([(task.prompt, task.answer) for task in tasks])
    else:
        answers = await engine.answer([Request(task.prompt, longest) for task in tasks])
        passed = [verifier.judge(task, a.text).passed for task, a in zip(tasks, answers, strict=True)]
    return "".join("1" if p else "0" for p in passed)


async def examine(
    engine: Engine, tasks: Sequence[Task], verifier: Verifier, *, split: Split, round: int, arm: Arm, longest: int
) -> Exam:
    """Examine a student on one split."""
    with span("exam", split=split, student=engine.student, items=len(tasks)):
        passed = await sit(engine, tasks, verifier, longest=longest)
    return Exam(round=round, student=engine.student, arm=arm, split=split, scores=score(tasks, passed), passed=passed)


async def canary(engine: Engine, prompts: Sequence[str], *, longest: int) -> None:
    """Check that the weights that answer are the weights that are examined.

    What the engine says freely must be what it holds most likely, token by token; a server that mixes two sets of
    weights, or answers for another request, fails here.

    Raises:
        EvolventError: naming the first prompt whose answer does not stand.
    """
    said = await engine.answer([Request(prompt, longest) for prompt in prompts])
    pairs = [(prompt, answer.text) for prompt, answer in zip(prompts, said, strict=True) if answer.complete]
    for (prompt, answer), stands in zip(pairs, await engine.agrees(pairs), strict=True):
        if not stands:
            raise EvolventError(
                f"canary: {engine.student} answers {prompt!r} with {answer!r} and does not hold it most likely; "
                "the engine serves other weights than it loaded, restart it and resume"
            )


def score(tasks: Sequence[Task], passed: str) -> dict[str, Score]:
    """Count by skill."""
    scores: dict[str, Score] = {}
    for skill in sorted({task.skill for task in tasks}):
        hits = [p == "1" for task, p in zip(tasks, passed, strict=True) if task.skill == skill]
        scores[skill] = Score(passed=sum(hits), tried=len(hits))
    return scores


def pick(exam: Exam, tasks: Sequence[Task], skill: str) -> str:
    """Results on the items of one skill."""
    return "".join(p for task, p in zip(tasks, exam.passed, strict=True) if task.skill == skill)
