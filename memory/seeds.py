"""Intervals over a few seeds: what would have come out with other ones.

Five seeds are few, and the plain percentile bootstrap is then far too sure of itself. Its percentiles are moved out
until the interval of a mean is as wide as Student's t makes it (the expanded percentile interval).

Source: Hesterberg 2014, What Teachers Should Know about the Bootstrap, https://arxiv.org/abs/1411.5279.
"""

import math
from itertools import product
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from .statistics import Interval

Floats = NDArray[np.float64]
WHOLE = 6
"""Seeds up to which every resample is enumerated instead of drawn."""
DRAWS = 40_000


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
