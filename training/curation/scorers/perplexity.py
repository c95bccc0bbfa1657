"""How likely a model finds a sample."""

from typing import Literal

import numpy as np

from ..pool import Context, Pool, Scores
from ..reading import Reading


class Perplexity(Reading):
    """Score by minus the logarithm of the perplexity of the answer given its question, in nats per token.

    So the least perplexing samples are best, which keeps junk and wrong answers out, and keeps what the model knows
    already: by itself it did worse than a random draw in Ask-LLM's comparison (https://arxiv.org/abs/2402.09668). For
    pruning of text for pretraining the middle of the distribution did best (Marion et al. 2023, *When Less is More*,
    https://arxiv.org/abs/2309.04564): `prefer = "middle"`. What a model finds hard is `prefer = "high"`.
    """

    prefer: Literal["low", "middle", "high"] = "low"
    """Perplexity of the best samples; the middle is by rank, so it depends on the pool."""
    whole: bool = False
    """Read question and answer as one text."""

    async def score(self, pool: Pool, context: Context) -> Scores:
        """Give nats per token, at most 0 for low and at least 0 for high; for the middle, in [-1/2, 0]."""
        if not len(pool):
            return np.zeros(0)
        reader = self.reader(context)
        pairs = [(row.question, row.answer) for row in pool.rows]
        likely_S = (reader.whole(pairs) if self.whole else reader.given(pairs)).means_S
        if self.prefer == "middle":
            return -np.abs(_standing(likely_S) - 0.5)
        return likely_S if self.prefer == "low" else -likely_S


def _standing(values_S: Scores) -> Scores:
    """Share of samples below each, half of the equal ones counted."""
    ordered = np.sort(values_S)
    below, upto = (np.searchsorted(ordered, values_S, side=side) for side in ("left", "right"))
    return (below + upto) / (2 * len(values_S))
