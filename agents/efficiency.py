"""How many samples targeting needed for what even drawing came to, over sessions that differ in their seed alone.

Of one session: its twin learned from so many evenly drawn samples and answers so much of the *select* items right. How
many targeted samples were enough for that is read off the curve through the exams of the rounds, straight lines in
between. A session that never gets there counts with all its samples and is marked: its true ratio is larger. Samples
alone are not the whole price, since targeting has to probe; so the ratio is given a second time with every probe
counted as a sample.
"""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..memory.errors import UsageError
from ..memory.exams import macro
from ..memory.ledger import Ledger
from ..memory.records import Attempt, Exam, Round
from ..memory.seeds import ratio_interval
from ..training.exam import examine
from .commands.items import tasks
from .desk import SPARE
from .folder import begun
from .parts import Parts

Json = dict[str, Any]


class Point(NamedTuple):
    """A round's candidate."""

    samples: float
    """Targeted samples it was trained on."""
    probes: float
    """Tasks the student was asked until then, exams aside."""
    score: float
    """Macro pass rate over learnable skills, on *select*."""


class Efficiency(NamedTuple):
    """One session against its twin."""

    seed: int
    twin: float
    """Evenly drawn samples its twin learned from."""
    score: float
    """What the twin came to."""
    needed: float
    """Targeted samples that came to as much."""
    probes: float
    reached: bool
    """Whether targeting came to as much at all."""

    def line(self) -> str:
        """As text."""
        said = f"{self.needed:,.0f} and {self.probes:,.0f} probes" if self.reached else "not reached by targeting"
        return f"seed {self.seed}: even drawing {self.score:.1%} with {self.twin:,.0f} samples; targeted: {said}"


def crossing(curve: Sequence[Point], score: float) -> Point | None:
    """Where a curve first reaches a score, straight lines between its points; None where it does not.

    Args:
        curve: at least one point, in the order of samples.
        score: what is to be reached.
    """
    if curve[0].score >= score:
        return curve[0]
    for before, after in pairwise(curve):
        if after.score >= score:
            part = (score - before.score) / (after.score - before.score)
            # probes come before the samples they aim, so those of the round count whole
            return Point(before.samples + part * (after.samples - before.samples), after.probes, score)
    return None


def measure(run: Path) -> Efficiency:
    """Hold a finished session against its twin; the twin sits the *select* exam now.

    Raises:
        UsageError: the session trained no twin.
    """
    scenario, session = begun(run)
    skills = [s for s in scenario.targets if scenario.skills[s].learnable is not False] or scenario.targets
    ledger = Ledger(run / "ledger.sqlite", read_only=True)
    try:
        rounds, exams = ledger.read(Round), ledger.read(Exam, subject="select")
        asked = [attempt.round for attempt in ledger.read(Attempt)]
    finally:
        ledger.close()
    twin = next((r for r in rounds if r.arm == "control"), None)
    if twin is None:
        raise UsageError(f"{run}: trained no twin to compare with; it needs control = true and a round of training")
    parts = Parts.resolve(scenario, str(run))
    items = tasks(run, "select")
    engine = parts.engine.open(run / twin.path)
    longest = scenario.student.longest or SPARE + parts.room + max(len(task.answer) for task in items)
    sat = asyncio.run(
        examine(engine, items, parts.verifier, split="select", round=twin.number, arm="control", longest=longest)
    )
    engine.close()
    curve = [Point(0.0, 0.0, macro(exams[0], skills) or 0.0)]
    for made in sorted((r for r in rounds if r.arm == "targeted"), key=lambda r: r.number):
        own = next((e for e in exams if e.student == made.checkpoint), None)
        if own is not None:
            probes = sum(round <= made.number for round in asked)
            curve.append(Point(float(made.samples), float(probes), macro(own, skills) or 0.0))
    score = macro(sat.exam, skills) or 0.0
    found = crossing(curve, score)
    last = found or curve[-1]
    return Efficiency(session.seed, float(twin.samples), score, last.samples, last.probes, reached=found is not None)


def facts(found: Sequence[Efficiency]) -> Json:
    """Ratios over seeds, with intervals: of samples, and of samples and probes."""
    even = np.array([one.twin for one in found])
    needed = np.array([one.needed for one in found])
    charged = needed + np.array([one.probes for one in found])
    return {
        "event": "seeds",
        "seeds": [one._asdict() for one in found],
        "not_reached": sum(not one.reached for one in found),
        **{
            name: {"ratio": float(ours.sum() / even.sum()), **ratio_interval(ours, even)._asdict()}
            for name, ours in (("samples", needed), ("with_probes", charged))
        },
    }


def lines(found: Sequence[Efficiency]) -> list[str]:
    """The same as text."""
    said = facts(found)
    missed = f"; {said['not_reached']} of {len(found)} never got there, so it is larger" if said["not_reached"] else ""
    ratios = [
        f"{what}: {said[name]['ratio']:.2f}x [{said[name]['low']:.2f}, {said[name]['high']:.2f}]{missed}"
        for name, what in (("samples", "samples targeting needed"), ("with_probes", "with its probes as samples"))
    ]
    return [*(one.line() for one in found), *ratios, "below 1 is less than even drawing needed; 95 % over seeds"]
