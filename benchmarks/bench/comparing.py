"""What arms came to: means over seeds, differences to the baseline paired by seed, and what that says in words.

Five seeds are few, and the plain percentile bootstrap is then far too sure of itself. Its percentiles are moved out
until the interval of a mean is as wide as Student's t makes it (the expanded percentile interval).

Source: Hesterberg 2014, What Teachers Should Know about the Bootstrap, https://arxiv.org/abs/1411.5279.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import product
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...memory.statistics import Interval
from .experiment import Figure, Outcome

Floats = NDArray[np.float64]
WHOLE = 6
"""Seeds up to which every resample is enumerated instead of drawn."""
DRAWS = 40_000


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


def mean_interval(values: Floats, *, confidence: float = 0.95) -> Interval:
    """Interval of a mean over seeds."""
    means = values[_resamples(values.size)].mean(axis=1)
    return _expanded(means, values.size, confidence)


def ratio_interval(above: Floats, below: Floats, *, confidence: float = 0.95) -> Interval:
    """Interval of a ratio of two means; both are taken on the same resampled seeds."""
    drawn = _resamples(above.size)
    return _expanded(above[drawn].mean(axis=1) / below[drawn].mean(axis=1), above.size, confidence)


def student_t(share: float, freedom: int) -> float:
    """Give the point below which this share of Student's t lies; `share` in [0.5, 1)."""
    x = np.linspace(0.0, 1.0, 200_001)[:-1]
    # t = x / (1 - x) maps [0, inf) onto [0, 1): no tail is cut off
    log = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - 0.5 * math.log(freedom * math.pi)
    t = x / (1 - x)
    density = np.exp(log - (freedom + 1) / 2 * np.log1p(t * t / freedom)) / (1 - x) ** 2
    below = 0.5 + np.cumsum((density[1:] + density[:-1]) / 2) * (x[1] - x[0])
    return float(t[1:][np.searchsorted(below, share)])


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


def _resamples(count: int) -> NDArray[np.int64]:
    """Seeds taken with repetition: all ways there are, or many by chance."""
    if count <= WHOLE:
        return np.array(list(product(range(count), repeat=count)), dtype=np.int64)
    return np.random.default_rng(count).integers(0, count, size=(DRAWS, count))


def _expanded(values: Floats, seeds: int, confidence: float) -> Interval:
    if seeds < 2:
        return Interval(-math.inf, math.inf)
    reach = math.sqrt(seeds / (seeds - 1)) * student_t((1 + confidence) / 2, seeds - 1)
    tail = NormalDist().cdf(-reach)
    return Interval(float(np.quantile(values, tail)), float(np.quantile(values, 1 - tail)))
