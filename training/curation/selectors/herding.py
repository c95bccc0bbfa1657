"""Those whose mean is the mean of all."""

import numpy as np

from ..pool import Indices, Need, Pool, Scores
from ..selector import Selector


class Herding(Selector):
    """Take what moves the mean of those taken towards the mean of the pool.

    Each taken is argmax w·v, and then w ← w + mean − v; w begins as the mean. A few hundred stand for the distribution
    as well as a much larger draw; outliers are not taken.

    Source: Chen, Welling & Smola 2010, *Super-samples from kernel herding*, arXiv:1203.3472.
    """

    needs = frozenset[Need]({"vectors"})
    scored = False

    def select(self, pool: Pool, scores_S: Scores, budget: int, *, seed: int) -> Indices:
        """Give `budget` samples; the first ones stand for the pool like all of them."""
        del scores_S, seed
        if not len(pool):
            return np.zeros(0, dtype=np.int64)
        vectors_SD = pool.vectors_SD[pool.by_id]
        mean_D = vectors_SD.mean(axis=0, dtype=np.float64).astype(np.float32)
        towards_S = vectors_SD @ mean_D
        wanted_S = towards_S.astype(np.float64)
        taken: list[int] = []
        for _ in range(min(budget, len(pool))):
            taken.append(int(wanted_S.argmax()))
            wanted_S += towards_S - vectors_SD @ vectors_SD[taken[-1]]
            wanted_S[taken[-1]] = -np.inf
        return pool.by_id[taken]
