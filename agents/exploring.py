"""Give a teacher that probes on its own account a bench for every skill that failed, and take in what it found."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from ..memory.inference import Engine, Request
from ..memory.records import Attempt, Task, Verdict
from ..memory.trace import span
from .desk import Desk
from .judging.jury import seat
from .prober.bench import Bench
from .teacher import Hypothesis

REMEMBERED = 5
"""Memories of a kind that one question brings back."""


class Explored(NamedTuple):
    """What was found, and every attempt behind it."""

    guesses: list[Hypothesis]
    attempts: list[Attempt]


async def explore(attempts: Sequence[Attempt], round: int, path: str, desk: Desk) -> Explored:
    """Have the teacher probe further, one skill after the other.

    Args:
        attempts: this round's probes.
        round: this round.
        path: folder of the student, relative to the run.
        desk: where.
    """
    found = Explored([], [])
    failing = {a.task.skill for a in attempts if not a.verdict.passed}
    skills = [skill for skill in desk.scenario.targets if skill in failing]
    if not desk.parts.teacher.explores or not skills:
        return found
    engine = desk.parts.engine.open(desk.path(path))
    for skill in skills:
        own = [a for a in attempts if a.task.skill == skill]
        bench = _bench(skill, round, engine, desk)
        found.guesses.extend(await desk.parts.teacher.explore(own, bench, models=desk.models))
        found.attempts.extend(bench.attempts.values())
    engine.close()
    return found


def _bench(skill: str, round: int, engine: Engine, desk: Desk) -> Bench:
    async def ask(tasks: Sequence[Task]) -> list[str]:
        with span("ask", tasks=len(tasks), round=round):
            return [said.answer for said in await engine.answer([Request.of(t.question, desk.longest) for t in tasks])]

    def recall(about: str) -> list[dict[str, Any]]:
        kinds = {kind: desk.recall.recall([about], REMEMBERED, kind=kind)[0] for kind in ("weakness", "failure")}
        return [
            {"what": kind, "text": m.text, **({"state": m.label["state"]} if kind == "weakness" else {})}
            for kind, memories in kinds.items()
            for m in memories
        ]

    async def sound() -> Collection[str]:
        return (await seat(desk)).sound if desk.parts.teacher.judges else ()

    async def judge(tasks: Sequence[Task], answers: Sequence[str]) -> list[Verdict | None]:
        return await desk.parts.verifier.decided(tasks, answers, models=desk.models)

    return Bench(skill, round, engine.student, desk.splits, judge, ask, recall, sound)
