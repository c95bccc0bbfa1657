"""How long a session will take and what it will use, before it runs."""

from dataclasses import dataclass
from typing import Any

from ..scenarios.schema import Scenario
from .desk import Parts

STEP = 0.045
"""Seconds per optimiser step of a quarter-million-parameter student on one core, measured; scaled by size below."""
PARAMETERS = 250_000
FIXED = 20.0
"""Seconds for imports, exams and reports."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a session will come to at most."""

    seconds: float
    rounds: int
    samples: int
    steps: int
    probes: int
    exam_answers: int

    def lines(self) -> list[str]:
        """Readable text."""
        return [
            f"at most {self.rounds} rounds, {self.samples:,} samples and {self.steps:,} training steps, all included",
            f"at most {self.probes:,} probe answers and {self.exam_answers:,} exam answers by the student",
            f"about {self.seconds / 60:.1f} min on one quiet core; less with a cached student or an early end",
        ]

    def facts(self) -> dict[str, Any]:
        """The same as JSON."""
        return {f: getattr(self, f) for f in self.__slots__}


def estimate(scenario: Scenario, parts: Parts, *, limit: int | None) -> Estimate:
    """Work out the largest cost a session can have."""
    rounds, each = scenario.rounds.most, min(scenario.rounds.samples, limit or scenario.rounds.samples)
    steps = [parts.trainer.steps(each * (n if parts.trainer.start == "base" else 1)) for n in range(1, rounds + 1)]
    first = round(scenario.student.first.epochs * scenario.student.first.samples / 64)
    total = sum(steps) + (steps[-1] if scenario.control else 0) + first
    targets, guards, sizes = len(scenario.targets), len(scenario.guards), scenario.splits
    exams = (rounds + 1) * (targets * sizes.select + guards * sizes.guard) + 3 * len(scenario.skills) * sizes.sealed
    probes = (rounds + 1) * targets * (scenario.probe.most + scenario.probe.aimed)
    size = scenario.student.layers * 13 * scenario.student.hidden**2 + 202 * scenario.student.hidden
    seconds = FIXED + total * STEP * max(0.3, size / PARAMETERS)
    return Estimate(seconds, rounds, rounds * each, total, probes, exams)
