"""By score, once through: the order of a curriculum."""

import numpy as np
from pydantic import Field

from ..orderer import Orderer
from ..pool import Indices, Pool, Scores


class Sorted(Orderer):
    """Put the lowest score first; what is trained on last is remembered best, and what came first may be forgotten.

    With a scorer for which high is easy, `descending` gives the curriculum from easy to hard.

    Source: Bengio et al. 2009, doi:10.1145/1553374.1553380 (curriculum learning).
    """

    scored = True

    descending: bool = Field(default=False)
    """Put the highest score first instead."""

    def order(self, pool: Pool, scores_S: Scores, *, seed: int) -> Indices:
        """Give all samples by score; equal scores go by id."""
        del seed
        keys_S = -scores_S if self.descending else scores_S
        return np.lexsort((np.array(pool.ids, dtype=np.str_), keys_S)).astype(np.int64)
