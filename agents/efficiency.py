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

from ..memory.exams import macro
from ..memory.ledger import Ledger
from ..memory.records import Attempt, Exam, Round
from ..memory.seeds import Floats, ratio_interval
from ..scenarios.schema import Scenario
from ..scenarios.splits import EXAMS
from ..training.exam import examine
from ..training.reading import reader
from ..training.serving.host import hosting
from .asking import asking
from .commands.items import tasks
from .desk import BASE, longest
from .folder import RESOLVED, begun
from .parts import Parts
from .reports.lines import stdout_is_ours

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


def measure(run: Path, *, allow_import: bool = False) -> Efficiency | None:
    """Hold a finished session against its twin; the twin sits the *select* exam now.

    Args:
        run: its folder, with the weights of the twin.
        allow_import: whether parts may come from modules of the user's own, as they could in the session.

    Returns:
        Nothing where the session trained no twin.
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
        return None
    score = macro(_sit(run, twin, scenario, allow_import=allow_import), skills) or 0.0
    curve = [Point(0.0, 0.0, macro(exams[0], skills) or 0.0)]
    for made in sorted((r for r in rounds if r.arm == "targeted"), key=lambda r: r.number):
        own = next((e for e in exams if e.student == made.checkpoint), None)
        if own is not None:
            probes = sum(round <= made.number for round in asked)
            curve.append(Point(float(made.samples), float(probes), macro(own, skills) or 0.0))
    found = crossing(curve, score)
    last = found or curve[-1]
    return Efficiency(session.seed, float(twin.samples), score, last.samples, last.probes, reached=found is not None)


def _sit(run: Path, twin: Round, scenario: Scenario, *, allow_import: bool) -> Exam:
    """Examine the twin on *select*, under the rules of the session's own exams."""
    parts = Parts.resolve(scenario, str(run / RESOLVED), allow_import=allow_import)
    most = room(run, scenario, parts, allow_import=allow_import)
    items = tasks(run, "select", allow_import=allow_import)
    # what libraries print is no result, and a server ends with the exam
    with stdout_is_ours(), hosting(run / "serving"), asking(run, parts) as models:
        engine = parts.engine.open(run / twin.path)
        try:
            sat = asyncio.run(
                examine(
                    engine, items, parts.verifier, split="select", round=twin.number, arm="control", longest=most,
                    models=models,
                )
            )  # fmt: skip
        finally:
            engine.close()
    return sat.exam


def room(run: Path, scenario: Scenario, parts: Parts, *, allow_import: bool = False) -> int:
    """Tokens an answer had in the exams of a session."""
    items = [task for split in EXAMS for task in tasks(run, split, allow_import=allow_import)]
    return longest(scenario, parts, reader(scenario.student, run / BASE, serves=parts.engine.serves), items)


def facts(found: Sequence[Efficiency]) -> Json:
    """Ratios over seeds, with intervals: of samples, and of samples and probes.

    Args:
        found: at least one session; one alone gives no interval.
    """
    even = np.array([one.twin for one in found])
    needed = np.array([one.needed for one in found])
    charged = needed + np.array([one.probes for one in found])
    return {
        "event": "seeds",
        "seeds": [one._asdict() for one in found],
        "not_reached": sum(not one.reached for one in found),
        **{
            name: {"ratio": float(ours.sum() / even.sum()), **_interval(ours, even)}
            for name, ours in (("samples", needed), ("with_probes", charged))
        },
    }


def _interval(ours: Floats, even: Floats) -> Json:
    """The interval of a ratio, as JSON, which has no infinity."""
    return ratio_interval(ours, even)._asdict() if len(ours) > 1 else {"low": None, "high": None}


def lines(found: Sequence[Efficiency]) -> list[str]:
    """The same as text."""
    said = facts(found)
    missed = f"; {said['not_reached']} of {len(found)} never got there, so it is larger" if said["not_reached"] else ""
    ratios = [
        f"{what}: {said[name]['ratio']:.2f}x{_bounds(said[name])}{missed}"
        for name, what in (("samples", "samples targeting needed"), ("with_probes", "with its probes as samples"))
    ]
    over = "95 % over seeds" if len(found) > 1 else "one session gives no interval"
    return [*(one.line() for one in found), *ratios, f"below 1 is less than even drawing needed; {over}"]


def _bounds(said: Json) -> str:
    return "" if said["low"] is None else f" [{said['low']:.2f}, {said['high']:.2f}]"
