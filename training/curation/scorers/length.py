"""How long an answer is."""

import numpy as np

from ..pool import Context, Pool, Scores
from ..scorer import Scorer


class Length(Scorer):
    """Score by the characters of the answer: a baseline that costs nothing and that few methods beat for chat.

    Source: Zhao et al. 2024, *Long Is More for Alignment*, https://arxiv.org/abs/2402.04833.
    """

    async def score(self, pool: Pool, context: Context) -> Scores:
        """Give characters."""
        del context
        return np.array([len(answer) for answer in pool.answers], dtype=np.float64)
