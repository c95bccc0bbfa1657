"""By turns: every stretch of training holds every skill in its share of the whole."""

import numpy as np

from ..orderer import Orderer
from ..pool import Indices, Pool, Scores


class Interleave(Orderer):
    """Spread the samples of each skill evenly over the pass.

    Of a skill with n samples the j-th stands at (j + 1/2)/n of the way, so that skills of one size take turns and a
    rare one comes by at equal distances. Within a skill the order is drawn by the seed.
    """

    def order(self, pool: Pool, scores_S: Scores, *, seed: int) -> Indices:
        """Give all samples, the skills in turns."""
        del scores_S
        ids_S = np.array(pool.ids, dtype=np.str_)
        luck_S = np.empty(len(pool))
        luck_S[np.argsort(ids_S, kind="stable")] = np.random.default_rng(seed).random(len(pool))
        _, skill_S, counts_K = np.unique(np.array(pool.skills, dtype=np.str_), return_inverse=True, return_counts=True)
        drawn_S = np.lexsort((luck_S, skill_S))
        starts_K = np.cumsum(counts_K) - counts_K
        ranks_S = np.empty(len(pool))
        ranks_S[drawn_S] = np.arange(len(pool)) - starts_K[skill_S[drawn_S]]
        return np.lexsort((skill_S, (ranks_S + 0.5) / counts_K[skill_S])).astype(np.int64)
