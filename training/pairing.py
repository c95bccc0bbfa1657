"""Two models on the same items: what changed, and whether it may be chance.

Where every score is 0 or 1 the tests are exact and on counts; where any is in between they are the seeded bootstrap
over items. Both are pure functions of the scores.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..memory.bootstrap import bootstrap_interval, bootstrap_p, bootstrap_upper
from ..memory.records import Test
from ..memory.statistics import Interval, mcnemar, non_inferiority_upper, paired_interval

FINEST = 0.001
"""Error down to which a p-value is told apart where nothing is decided on it."""


class Paired(NamedTuple):
    """What changed between two models on the same items."""

    gained: int
    """Items on which the candidate scored higher."""
    lost: int
    """Items on which the incumbent did."""
    items: int
    """All items, changed or not."""
    differences: tuple[float, ...] = ()
    """Candidate minus incumbent by item, where any score is between 0 and 1; empty where the counts say it all."""

    @property
    def test(self) -> Test:
        """Name of the test that fits."""
        return "bootstrap" if self.differences else "mcnemar"

    @property
    def gain(self) -> float:
        """Mean change of the score, in [-1, 1]; 0 without items."""
        if self.differences:
            return float(np.mean(self.differences))
        return (self.gained - self.lost) / max(1, self.items)

    def p_value(self, *, alpha: float = FINEST) -> float:
        """One-sided p-value that the candidate is better; `alpha` is what it will be compared with."""
        if self.differences:
            return bootstrap_p(self.differences, alpha=alpha)
        return mcnemar(self.gained, self.lost)

    def worst(self, *, alpha: float) -> float:
        """Upper bound on the mean loss, a share; the true one lies above it with probability `alpha`."""
        if self.differences:
            return bootstrap_upper([-d for d in self.differences], alpha=alpha)
        return non_inferiority_upper(self.gained, self.lost, self.items, alpha=alpha)

    def interval(self, *, confidence: float = 0.95) -> Interval:
        """Interval of the gain, a share in [-1, 1]."""
        if self.differences:
            return bootstrap_interval(self.differences, confidence=confidence, least=-1.0)
        return paired_interval(self.gained, self.lost, self.items, confidence=confidence)

    def swapped(self) -> "Paired":
        """The same with incumbent and candidate in each other's place."""
        return Paired(self.lost, self.gained, self.items, tuple(-d for d in self.differences))


def pair(before: Sequence[float], after: Sequence[float]) -> Paired:
    """Compare two lists of scores over the same items.

    Raises:
        ValueError: lists of different length, or a score outside [0, 1].
    """
    if len(before) != len(after):
        raise ValueError(f"{len(before)} results before, {len(after)} after; both must be of the same items")
    scores = np.array([before, after], dtype=np.float64)
    # written so that NaN is refused too
    if (strange := scores[~((scores >= 0) & (scores <= 1))]).size:
        raise ValueError(f"results hold {strange[0]!s}; scores from 0 to 1 were expected")
    differences = scores[1] - scores[0]
    gained, lost = int(np.count_nonzero(differences > 0)), int(np.count_nonzero(differences < 0))
    graded = bool(((scores > 0) & (scores < 1)).any())
    return Paired(gained, lost, len(before), tuple(differences.tolist()) if graded else ())
