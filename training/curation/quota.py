"""Dividing a budget among groups that may be too small for their part."""

import numpy as np
from numpy.typing import NDArray

from .pool import Indices


def fill(sizes_G: Indices, weights_G: NDArray[np.float64], budget: int) -> Indices:
    """Give each group its part by weight; what a small group cannot take goes to the others, by weight again.

    Args:
        sizes_G: what each group has.
        weights_G: at least 0; a group without weight gets nothing.
        budget: at least 0.

    Returns:
        Whole numbers, at most `sizes_G`, that add up to the budget where groups with a weight have as much.
    """
    given_G = np.zeros(len(sizes_G), dtype=np.int64)
    open_G = (weights_G > 0) & (sizes_G > 0)
    left = min(budget, int(sizes_G[open_G].sum()))
    while left > 0:
        wanted_G = np.where(open_G, weights_G, 0.0) / weights_G[open_G].sum() * left
        full_G = open_G & (wanted_G >= sizes_G)
        if not full_G.any():
            given_G[open_G] = _whole(wanted_G[open_G], left)
            break
        given_G[full_G] = sizes_G[full_G]
        left -= int(sizes_G[full_G].sum())
        open_G &= ~full_G
    return given_G


def _whole(wanted_G: NDArray[np.float64], total: int) -> Indices:
    """Round to whole numbers that add up; the largest rests go up, the first of equal ones."""
    given_G = np.floor(wanted_G).astype(np.int64)
    rests_G = np.argsort(given_G - wanted_G, kind="stable")
    given_G[rests_G[: total - int(given_G.sum())]] += 1
    return given_G
