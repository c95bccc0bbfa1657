"""How much harder an answer gets by its question, or easier."""

import numpy as np
from pydantic import Field

from ..likelihood import Reader, find
from ..pool import Context, Need, Pool, Scores
from ..scorer import Scorer

LARGEST = 700.0
"""Exponent that still gives a finite number."""


class Ifd(Scorer):
    """Score by instruction-following difficulty: perplexity of the answer after its question over that of it alone.

    Near 0 the question says it all and there is little to learn; near 1 it hardly helps this model, which is what
    training can change. Above 1 it makes the answer less likely, so the two do not belong together: such samples are
    dropped by the paper, and here come after all others, the worst misfit last, as minus their ratio.

    With a smaller `model` this is Superfiltering, whose finding is that small and large models order samples alike.

    Source: Li et al. 2023, *From Quantity to Quality*, https://arxiv.org/abs/2308.12032; Superfiltering, Li et al.
    2024, https://arxiv.org/abs/2402.00530. There the end of the answer is not counted; here it is, as in training.
    """

    model: str = ""
    """Folder or hub id of the model that reads; empty for the student of the round."""
    revision: str = Field(default="", pattern=r"^([0-9a-f]{40})?$")
    """Commit of a model on the hub."""

    @property
    def needs(self) -> frozenset[Need]:  # pyright: ignore[reportIncompatibleVariableOverride] -- what is needed depends on a setting
        """A student, unless another model is named."""
        return frozenset() if self.model else frozenset({"student"})

    async def score(self, pool: Pool, context: Context) -> Scores:
        """Give the ratio, in (0, 1]; minus the ratio where it is above 1."""
        if not len(pool):
            return np.zeros(0)
        reader = Reader.open(find(self.model, self.revision, context.student))
        pairs = [(row.question, row.answer) for row in pool.rows]
        harder_S = reader.alone(pool.answers).means_S - reader.given(pairs).means_S
        ratio_S = np.exp(np.minimum(harder_S, LARGEST))
        return np.where(ratio_S > 1, -ratio_S, ratio_S)
