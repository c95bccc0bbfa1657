"""Greedy choice where what a candidate would add only falls as others are chosen.

Values worked out earlier are then bounds from above. So only a handful of the best candidates is kept up to date, and
everything else is caught up with in one matrix product when that handful may no longer hold the best. What is chosen
is what the plain loop over all candidates chooses.

Source: Minoux 1978, *Accelerated greedy algorithms for maximizing submodular set functions*.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .pool import Indices

Values = NDArray[np.float64]
HANDFUL = 2048
"""Candidates kept up to date."""
BEHIND = 64
"""Choices that the others may lag behind."""
CHUNK = 8192
"""Candidates caught up with at a time."""


class Falling(Protocol):
    """What candidates would add."""

    def take(self, index: int) -> None:
        """Note that a candidate is chosen."""
        ...

    def lower(self, values_R: Values, rows: Indices | slice, since: int) -> Values:
        """Give the values of some candidates, once what was taken at `since` and after is counted, too."""
        ...


def choose(falling: Falling, values_S: Values, budget: int, *, first: int | None = None) -> list[int]:
    """Give candidates in the order in which each adds most; of equal ones the first comes first.

    Args:
        falling: how values fall.
        values_S: what each would add to nothing.
        budget: number to choose; never more than there are.
        first: a candidate to begin with, whatever it adds.
    """
    values_S = values_S.copy()
    budget = min(budget, len(values_S))
    chosen: list[int] = []
    while len(chosen) < budget:
        behind = len(chosen)
        best = int(values_S.argmax()) if chosen or first is None else first
        few = _handful(values_S, best)
        # candidates outside of the handful may add as much as this, and no more
        outside = float(values_S[few].min()) if len(few) < len(values_S) else -np.inf
        few_F = values_S[few]
        at = int(np.searchsorted(few, best))
        while True:
            chosen.append(int(few[at]))
            falling.take(chosen[-1])
            values_S[chosen[-1]] = few_F[at] = -np.inf
            if len(chosen) == budget:
                return chosen
            few_F = falling.lower(few_F, few, len(chosen) - 1)
            at = int(few_F.argmax())
            if len(chosen) - behind == BEHIND or few_F[at] <= outside:
                break
        for start in range(0, len(values_S), CHUNK):
            part = slice(start, start + CHUNK)
            values_S[part] = falling.lower(values_S[part], part, behind)
    return chosen


def _handful(values_S: Values, best: int) -> Indices:
    """Candidates of the highest values, sorted, with one among them."""
    if len(values_S) <= HANDFUL:
        return np.arange(len(values_S))
    few = np.argpartition(-values_S, HANDFUL)[:HANDFUL]
    return np.union1d(few, [best])
