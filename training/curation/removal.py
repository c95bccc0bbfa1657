"""Shapley values by removing group after group: how much worth goes with those that go.

The estimate is SHED's (arXiv:2405.00705), with two differences from its code: a group shares what went with it instead
of giving each member all of it, and the last group is compared with what no member is worth, not with 0. So the values
add up to the worth of all less that of none.
"""

import numpy as np
from numpy.typing import NDArray

from .pool import Scores

Present = NDArray[np.bool_]


def removals(count: int, *, permutations: int, group: int, seed: int) -> Present:
    """Give who is present after each removal.

    Args:
        count: players.
        permutations: orders in which they go.
        group: how many go at once.
        seed: draws the orders.

    Returns:
        Permutations by stages by players; all are there at the first stage and none at the last.
    """
    rng = np.random.default_rng(seed)
    places_PC = np.stack([rng.permutation(count) for _ in range(permutations)])
    gone = np.arange(-(-count // group) + 1) * group
    return places_PC[:, None, :] >= gone[None, :, None]


def shares(present_PQC: Present, worths_PQ: Scores) -> Scores:
    """Give the mean worth that goes with each player.

    Args:
        present_PQC: permutations by stages by players, as `removals` gives them.
        worths_PQ: what those present are worth together.
    """
    leaving_PQC = present_PQC[:, :-1] & ~present_PQC[:, 1:]
    lost_PQ = (worths_PQ[:, :-1] - worths_PQ[:, 1:]) / np.maximum(leaving_PQC.sum(2), 1)
    return (leaving_PQC * lost_PQ[:, :, None]).sum(1).mean(0)
