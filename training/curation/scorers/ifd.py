"""How much harder an answer gets by its question, or easier."""

import numpy as np

from ..pool import Context, Pool, Scores
from ..reading import Reading

LARGEST = 700.0
"""Exponent that still gives a finite number."""


class Ifd(Reading):
    """Score by instruction-following difficulty: perplexity of the answer after its question over that of it alone.

    Near 0 the question says it all and there is little to learn; near 1 it hardly helps this model, which is what
    training can change. Above 1 it makes the answer less likely, so the two do not belong together: such samples are
    dropped by the paper, and here come after all others, the worst misfit last, as minus their ratio.

    With a smaller `model` this is Superfiltering, whose finding is that small and large models order samples alike.

    Source: Li et al. 2023, *From Quantity to Quality*, https://arxiv.org/abs/2308.12032; Superfiltering, Li et al.
    2024, https://arxiv.org/abs/2402.00530. There the end of the answer is not counted; here it is, as in training.
    """

    async def score(self, pool: Pool, context: Context) -> Scores:
        """Give the ratio, in (0, 1]; minus the ratio where it is above 1."""
        if not len(pool):
            return np.zeros(0)
        reader = self.reader(context)
        pairs = [(row.question, row.answer) for row in pool.rows]
        harder_S = reader.alone(pool.answers).means_S - reader.given(pairs).means_S
        ratio_S = np.exp(np.minimum(harder_S, LARGEST))
        return np.where(ratio_S > 1, -ratio_S, ratio_S)
