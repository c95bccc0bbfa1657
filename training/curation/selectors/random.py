"""A fair draw: the baseline every other selector has to beat."""

import numpy as np

from ..pool import Indices, Pool, Scores
from ..selector import Selector


class Random(Selector):
    """Draw without looking."""

    scored = False

    def select(self, pool: Pool, scores_S: Scores, budget: int, *, seed: int) -> Indices:
        """Give `budget` samples, each as likely as any other, whatever the order of the pool."""
        del scores_S
        by_id = np.argsort(np.array(pool.ids, dtype=np.str_), kind="stable")
        return by_id[np.random.default_rng(seed).permutation(len(pool))[:budget]].astype(np.int64)
