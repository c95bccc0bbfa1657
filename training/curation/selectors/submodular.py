"""Those that stand for all and are good."""

import numpy as np
from pydantic import Field

from ..coverage import cover
from ..pool import Indices, Need, Pool, Scores
from ..sampling import ranks
from ..selector import Selector


class Submodular(Selector):
    """Take greedily what adds most to a mix of coverage and score.

    f(choice) = (1 − weight) · mean over all samples of the cosine to the nearest taken + weight · sum over those taken
    of the score's rank / budget. Both parts end between 0 and 1, and the greedy choice is within 1 − 1/e of the best.

    Source: Lin & Bilmes 2011, *A class of submodular functions for document summarization* (coverage plus a reward).
    """

    needs = frozenset[Need]({"vectors"})
    weight: float = Field(default=0.5, ge=0, lt=1)
    """Share of the score; for all of it there is `top`."""

    def select(self, pool: Pool, scores_S: Scores, budget: int, *, seed: int) -> Indices:
        """Give `budget` samples, each the one that added most."""
        if not len(pool) or not budget:
            return np.zeros(0, dtype=np.int64)
        vectors_SD = pool.vectors_SD[pool.by_id]
        reward_S = ranks(scores_S)[pool.by_id] / min(budget, len(pool))
        # dividing by the share of coverage leaves the order as it is
        extra_S = reward_S * self.weight / (1 - self.weight)
        return pool.by_id[cover(vectors_SD, budget, seed=seed, extra_S=extra_S)]
