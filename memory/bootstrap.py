"""Means of graded scores: how far chance alone moves them, by weighing the items anew thousands of times.

The weights of the items are drawn as in Rubin's Bayesian bootstrap, with one more item that nobody has seen and that
has the worst value possible. That one item makes the bounds hold for few items and for items that hardly differ, where
the plain percentile bootstrap promises too much: among items that are all equal it sees no chance at all. On values
of -1, 0 and 1 the p-value is exactly McNemar's, and on 0 and 1 the bound is Clopper and Pearson's.

Pure: the seed comes from the values, and their order does not matter.

Source: Rubin 1981, https://doi.org/10.1214/aos/1176345338; Gaffke 2005, with coverage studied by Learned-Miller and
Thomas 2019, https://arxiv.org/abs/1905.06208.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .files import digest
from .statistics import Interval

Floats = NDArray[np.float64]

TAIL = 100
"""Draws expected beyond a bound: its own error is then a tenth of the chance it stands for."""
CELLS = 2_000_000
"""Weights held in memory at once."""
DIGITS = 12
"""Differences that agree to so many digits are one value: 0.3 - 0.1 and 0.2 must not be told apart."""


class Weighed(NamedTuple):
    """Values and how many items have each."""

    values: Floats
    counts: NDArray[np.int64]


def bootstrap_p(differences: Sequence[float], *, alpha: float) -> float:
    """One-sided p-value that the mean difference is above 0, at least about `alpha`/100.

    Args:
        differences: candidate minus incumbent by item, in [-1, 1]; without any the p-value is 1.
        alpha: what it will be compared with, which says how fine it must be.
    """
    if not differences:
        return 1.0
    means = _means(_unseen(differences, -1.0), alpha)
    return float((1 + np.count_nonzero(means <= 0)) / (1 + means.size))


def bootstrap_upper(values: Sequence[float], *, alpha: float, most: float = 1.0) -> float:
    """Upper confidence bound of a mean; `most`, the largest value possible, when there are no values.

    Args:
        values: none above `most`.
        alpha: probability that the true mean lies above the bound.
        most: what an item that nobody has seen is taken for.
    """
    if not values:
        return most
    return float(np.quantile(_means(_unseen(values, most), alpha), 1 - alpha, method="higher"))


def bootstrap_interval(
    values: Sequence[float], *, confidence: float = 0.95, least: float = 0.0, most: float = 1.0
) -> Interval:
    """Interval of a mean of values that lie between `least` and `most`."""
    alpha = (1 - confidence) / 2
    low = -bootstrap_upper([-v for v in values], alpha=alpha, most=-least)
    return Interval(low, bootstrap_upper(values, alpha=alpha, most=most))


def _unseen(values: Sequence[float], worst: float) -> Weighed:
    """Count equal values, with one more item at the worst."""
    found, counts = np.unique(np.round(np.array([*values, worst], dtype=np.float64), DIGITS), return_counts=True)
    return Weighed(found + 0.0, counts.astype(np.int64))


def _means(items: Weighed, alpha: float) -> Floats:
    """Weighted means, as many as a bound at `alpha` needs."""
    rng = np.random.default_rng(int(digest([items.values.tolist(), items.counts.tolist()]), 16))
    return np.concatenate([_draw(items, size, rng) for size in _batches(int(np.ceil(TAIL / alpha)), items)])


def _draw(items: Weighed, draws: int, rng: np.random.Generator) -> Floats:
    # the weights of k items together are one gamma variable of shape k, so equal items cost no more than one
    weights_DV = rng.standard_gamma(items.counts, size=(draws, items.counts.size))
    return np.asarray(weights_DV @ items.values / weights_DV.sum(axis=1), dtype=np.float64)


def _batches(draws: int, items: Weighed) -> Iterator[int]:
    each = max(1, CELLS // items.counts.size)
    while draws > 0:
        yield min(each, draws)
        draws -= each
