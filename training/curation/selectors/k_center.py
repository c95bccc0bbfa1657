"""As far apart as can be."""

import numpy as np

from ....memory.embedder import Vectors
from .. import greedy
from ..pool import Indices, Need, Pool, Scores
from ..selector import Selector


class KCenter(Selector):
    """Take what is farthest from all taken before, so that nothing left out is far from what was taken.

    The first sample is drawn; the greatest distance left is at most twice the least there can be.

    Sources: Gonzalez 1985, *Clustering to minimize the maximum intercluster distance*; Sener & Savarese 2018, *Active
    learning for convolutional neural networks: a core-set approach*, arXiv:1708.00489.
    """

    needs = frozenset[Need]({"vectors"})
    scored = False

    def select(self, pool: Pool, scores_S: Scores, budget: int, *, seed: int) -> Indices:
        """Give `budget` samples, each the farthest by cosine from those before it."""
        del scores_S
        if not len(pool) or not budget:
            return np.zeros(0, dtype=np.int64)
        vectors_SD = pool.vectors_SD[pool.by_id]
        distances_S = np.full(len(pool), np.inf)
        first = int(np.random.default_rng(seed).integers(len(pool)))
        return pool.by_id[greedy.choose(_Distances(vectors_SD), distances_S, budget, first=first)]


class _Distances:
    """1 − cosine to the nearest that is taken."""

    def __init__(self, vectors_SD: Vectors) -> None:
        self.vectors_SD = vectors_SD
        self.taken: list[int] = []

    def take(self, index: int) -> None:
        self.taken.append(index)

    def lower(self, values_R: greedy.Values, rows: Indices | slice, since: int) -> greedy.Values:
        cosines_RT = self.vectors_SD[rows] @ self.vectors_SD[self.taken[since:]].T
        return np.minimum(values_R, 1 - cosines_RT.max(axis=1))
