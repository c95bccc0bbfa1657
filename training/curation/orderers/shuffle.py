"""Any order, drawn by the seed: the baseline every other orderer has to beat."""

import random

import numpy as np

from ..orderer import Orderer
from ..pool import Indices, Pool, Scores


class Shuffle(Orderer):
    """Mix them; the trainer mixes again for every pass."""

    kept = False

    def order(self, pool: Pool, scores_S: Scores, *, seed: int) -> Indices:
        """Give a permutation."""
        del scores_S
        places = list(range(len(pool)))
        random.Random(seed).shuffle(places)
        return np.array(places, dtype=np.int64)
