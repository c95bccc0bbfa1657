"""The best, but for what is like a better one."""

import numpy as np
from pydantic import Field

from ....memory.embedder import Vectors
from ..pool import Indices, Need, Pool, Scores
from ..selector import Selector

BLOCK = 512
"""Samples compared with each other at a time."""


class Diverse(Selector):
    """Go from the best to the worst and take whatever is not too like anything taken.

    Source: Liu et al. 2023, *What makes good data for alignment?* (Deita), arXiv:2312.15685 (score-first and
    diversity-aware selection).
    """

    needs = frozenset[Need]({"vectors"})
    alike: float = Field(default=0.9, ge=-1, le=1)
    """Highest cosine to a sample that is taken."""

    def select(self, pool: Pool, scores_S: Scores, budget: int, *, seed: int) -> Indices:
        """Give up to `budget` samples, best first; fewer where the rest is too like them."""
        del seed
        order = pool.by_id[np.argsort(-scores_S[pool.by_id], kind="stable")]
        taken = np.zeros(0, dtype=np.int64)
        if not len(pool):
            return taken
        vectors_SD = pool.vectors_SD[order]
        for start in range(0, len(order), BLOCK):
            if len(taken) >= budget:
                break
            block = np.arange(start, min(start + BLOCK, len(order)))
            nearest_B = (vectors_SD[block] @ vectors_SD[taken].T).max(axis=1, initial=-np.inf)
            block = block[nearest_B <= self.alike]
            taken = np.concatenate([taken, block[_apart(vectors_SD[block], self.alike)]])
        return order[taken[:budget]]


def _apart(vectors_BD: Vectors, alike: float) -> list[int]:
    """Go through vectors and give the positions of those that are not too like an earlier one of these."""
    like_BB = vectors_BD @ vectors_BD.T > alike
    open_B = np.ones(len(vectors_BD), dtype=np.bool_)
    for i in range(len(vectors_BD)):
        if open_B[i]:
            open_B[i + 1 :] &= ~like_BB[i, i + 1 :]
    return np.flatnonzero(open_B).tolist()
