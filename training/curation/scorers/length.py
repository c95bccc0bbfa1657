"""How long the answer is: the baseline that costs nothing.

Source: Zhao et al. 2024, arXiv:2402.04833, where the longest answers of instruction data beat elaborate selection.
"""

import numpy as np

from ..pool import Context, Pool, Scores
from ..scorer import Scorer


class Length(Scorer):
    """Prefer long answers, in characters."""

    async def score(self, pool: Pool, context: Context) -> Scores:
        """Give the length of every answer."""
        del context
        return np.array([len(answer) for answer in pool.answers], dtype=np.float64)
