"""Those that stand best for all."""

import numpy as np

from ..coverage import cover
from ..pool import Indices, Need, Pool, Scores
from ..selector import Selector


class Facility(Selector):
    """Facility location: take greedily what brings every sample of the pool nearer to one that is taken.

    Superfiltering keeps what is diverse among the best in this way.

    Sources: Lin & Bilmes 2011, *A class of submodular functions for document summarization*; Li et al. 2024,
    *Superfiltering*, arXiv:2402.00530.
    """

    needs = frozenset[Need]({"vectors"})
    scored = False

    def select(self, pool: Pool, scores_S: Scores, budget: int, *, seed: int) -> Indices:
        """Give `budget` samples, each the one that added most."""
        del scores_S
        if not len(pool) or not budget:
            return np.zeros(0, dtype=np.int64)
        return pool.by_id[cover(pool.vectors_SD[pool.by_id], budget, seed=seed)]
