"""Asking the student and judging what it says."""

from collections import Counter
from collections.abc import Sequence, Set
from typing import Literal

from ..memory.inference import Engine, Request
from ..memory.records import Attempt, Task, Weakness
from ..memory.statistics import sprt
from ..memory.trace import span
from ..scenarios.schema import Probing
from .desk import Desk

GUESSES = 8
"""Hypotheses per skill and round that are tested, the surest ones; what they leave out is seen again a round later."""

Purpose = Literal["probe", "aimed", "prediction"]


async def ask(
    engine: Engine, tasks: Sequence[Task], round: int, desk: Desk, *, purpose: Purpose = "probe"
) -> list[Attempt]:
    """Let the student answer tasks in one batch, and judge the answers."""
    with span("ask", tasks=len(tasks), round=round, purpose=purpose) as step:
        said = await engine.answer([Request.of(task.question, desk.longest) for task in tasks])
        answers = [one.answer for one in said]
        verdicts = await desk.parts.verifier.judged(tasks, answers, models=desk.models)
        attempts = [
            Attempt(
                task=task,
                student=engine.student,
                round=round,
                purpose=purpose,
                answer=answer,
                verdict=verdict,
            )
            for task, answer, verdict in zip(tasks, answers, verdicts, strict=True)
        ]
        step["passed"] = passes(attempts)
        return attempts


def skill_tasks(skill: str, round: int, desk: Desk, *, most: int) -> list[Task]:
    """Probe tasks of a whole skill; tasks of earlier rounds come again only where the skill has no others left."""
    stream, asked = f"probe-{round}", desk.asked(before=round)
    fresh = desk.splits.draw(skill, "probe", most, stream=stream, beside=asked)
    if len(fresh) == most:
        return fresh
    known = {task.key for task in fresh}
    return fresh + desk.splits.draw(skill, "probe", most - len(fresh), stream=stream, beside=known)


def aimed_tasks(weakness: Weakness, round: int, desk: Desk, *, asked: Set[str]) -> list[Task]:
    """Probe tasks under the rule of a weakness that the session has never asked; fewer where none are left.

    Args:
        weakness: what they are aimed at.
        round: this round.
        desk: where.
        asked: keys of the tasks asked in this round.
    """
    count = min(desk.scenario.probe.aimed, desk.session.limit or desk.scenario.probe.aimed)
    stream, beside = f"aimed-{round}-{weakness.id}", desk.asked(before=round) | asked
    return desk.splits.draw(weakness.skill, "probe", count, stream=stream, having=weakness.rule, beside=beside)


def by_luck(attempts: Sequence[Attempt]) -> float:
    """Pass rate these answers would have if they were dealt out at random within the skill."""
    if not attempts:
        return 0.0
    given = Counter(a.answer.strip() for a in attempts)
    wanted = Counter(a.task.answer.strip() for a in attempts)
    return sum(count * wanted[answer] for answer, count in given.items()) / len(attempts) ** 2


def passes(attempts: Sequence[Attempt]) -> int:
    """Number of right answers."""
    return sum(a.verdict.passed for a in attempts)


def conclude(passed: int, tried: int, settings: Probing) -> Literal["mastered", "failing", "undecided"]:
    """What the sequential test says so far."""
    return sprt(passed, tried, failing=settings.failing, mastered=settings.mastered, error=settings.error)
