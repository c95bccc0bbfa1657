"""Those with the highest scores."""

import numpy as np

from ..pool import Indices, Pool, Scores
from ..selector import Selector


class Top(Selector):
    """Take the best; equal scores go by id, so that chance has no part in it."""

    def select(self, pool: Pool, scores_S: Scores, budget: int, *, seed: int) -> Indices:
        """Give the `budget` samples with the highest scores, best first."""
        del seed
        return np.lexsort((np.array(pool.ids, dtype=np.str_), -scores_S))[:budget].astype(np.int64)
