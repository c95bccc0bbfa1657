"""The best clusters."""

import numpy as np
from pydantic import Field

from ..grouping import grouped
from ..pool import Indices, Need, Pool, Scores
from ..selector import Selector


class WholeClusters(Selector):
    """Take clusters from the highest mean score downwards, whole, until the budget is spent (QOCS of SHED).

    Of a last one that no longer fits its members nearest to the centre are taken.

    Source: He et al. 2024, *SHED: Shapley-based automated dataset refinement for instruction fine-tuning*,
    arXiv:2405.00705 (quality-ordered cluster sampling).
    """

    needs = frozenset[Need]({"vectors"})
    clusters: int = Field(default=0, ge=0)
    """Number of clusters; 0 stands for the square root of the number of samples."""

    def select(self, pool: Pool, scores_S: Scores, budget: int, *, seed: int) -> Indices:
        """Give `budget` samples, best cluster first, those nearest to its centre first."""
        if not len(pool):
            return np.zeros(0, dtype=np.int64)
        groups = grouped(pool, scores_S, self.clusters, seed=seed)
        order = np.lexsort((-groups.cosine_S, groups.of_S, -groups.means_C[groups.of_S]))
        return pool.by_id[order[:budget]]
