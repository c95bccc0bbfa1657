"""What arms came to: means over seeds, differences to the baseline paired by seed, and what that says in words."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ...memory.seeds import mean_interval, ratio_interval
from ...memory.statistics import Interval
from .experiment import Figure, Outcome


class Compared(NamedTuple):
    """One arm on one figure."""

    mean: float
    spread: float
    """Standard deviation over seeds."""
    against: float
    """Difference to the baseline, or ratio to it."""
    interval: Interval

    def word(self, figure: Figure) -> str:
        """Say whether it helps, hurts, or neither could be seen."""
        neutral = 1.0 if figure.compare == "ratio" else 0.0
        if self.interval.low <= neutral <= self.interval.high:
            return "no difference seen"
        return "helps" if (self.interval.low > neutral) == (figure.better == "higher") else "hurts"


def compare(arm: Sequence[float], baseline: Sequence[float], figure: Figure) -> Compared:
    """Hold an arm against the baseline, seed by seed."""
    a, b = np.asarray(arm, dtype=np.float64), np.asarray(baseline, dtype=np.float64)
    spread = float(a.std(ddof=1)) if a.size > 1 else 0.0
    if figure.compare == "ratio":
        return Compared(float(a.mean()), spread, float(a.mean() / b.mean()), ratio_interval(a, b))
    return Compared(float(a.mean()), spread, float((a - b).mean()), mean_interval(a - b))


def column(outcomes: Sequence[Outcome], figure: Figure) -> list[float]:
    """One figure over the seeds."""
    return [outcome.figures[figure.name] for outcome in outcomes]


def table(
    outcomes: Mapping[str, Sequence[Outcome]], figures: Sequence[Figure], baseline: str
) -> dict[str, dict[str, Compared]]:
    """Every arm on every figure; all arms have the same seeds in the same order."""
    return {
        arm: {f.name: compare(column(own, f), column(outcomes[baseline], f), f) for f in figures}
        for arm, own in outcomes.items()
    }
