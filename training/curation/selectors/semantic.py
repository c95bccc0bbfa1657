"""One of each meaning."""

import numpy as np
from pydantic import Field

from ....memory.embedder import Vectors
from ..clusters import k_means
from ..pool import Indices, Need, Pool, Scores
from ..selector import Selector

MEMBERS = 256
"""Samples of a cluster that are compared at a time."""
ROUNDING = 1e-6
"""How far above 1 the cosine of equal vectors may come."""


class Semantic(Selector):
    """SemDeDup: leave out what means the same as another sample of its cluster, the most alike first.

    Vectors are clustered; within a cluster samples go from the farthest from its centre to the nearest, and each is
    as redundant as its highest cosine to those before it. The least redundant are taken.

    Source: Abbas et al. 2023, *SemDeDup*, arXiv:2303.09540. At a fixed size it fell behind a fair draw in Sachdeva et
    al. 2024, arXiv:2402.09668 (Table 1).
    """

    needs = frozenset[Need]({"vectors"})
    scored = False
    epsilon: float = Field(default=0.05, ge=0, le=2)
    """What is nearer than this to one before it, as 1 − cosine, is never taken."""
    members: int = Field(default=512, ge=2)
    """Samples in a cluster, on average."""

    def select(self, pool: Pool, scores_S: Scores, budget: int, *, seed: int) -> Indices:
        """Give up to `budget` samples, least redundant first; fewer where the rest is a duplicate."""
        del scores_S
        if not len(pool):
            return np.zeros(0, dtype=np.int64)
        vectors_SD = pool.vectors_SD[pool.by_id]
        clusters = k_means(vectors_SD, max(1, len(pool) // self.members), seed=seed)
        redundant_S = np.full(len(pool), -1.0)
        for members in clusters.members():
            farthest = members[np.argsort(clusters.cosine_S[members], kind="stable")]
            redundant_S[farthest] = _redundancy(vectors_SD[farthest])
        order = np.argsort(redundant_S, kind="stable")
        unlike = order[redundant_S[order] <= 1 - self.epsilon + ROUNDING]
        return pool.by_id[unlike[:budget]]


def _redundancy(vectors_MD: Vectors) -> Vectors:
    """Highest cosine of each to those before it; -1 for the first."""
    highest_M = np.full(len(vectors_MD), -1, dtype=np.float32)
    for start in range(0, len(vectors_MD), MEMBERS):
        rows = np.arange(start, min(start + MEMBERS, len(vectors_MD)))
        cosines = vectors_MD[rows] @ vectors_MD[: rows[-1] + 1].T
        cosines[np.arange(rows[-1] + 1) >= rows[:, None]] = -1
        highest_M[rows] = cosines.max(axis=1)
    return highest_M
