"""How much a sample says that the others do not, as a compressor sees it."""

import numpy as np
from pydantic import Field

from ..pool import Context, Pool, Scores
from ..redundancy import rank
from ..scorer import Scorer


class Compression(Scorer):
    """Score by the order in which ZIP takes samples: those first that keep what was taken hard to compress.

    The data sets that compress least teach most, as far as the paper's entropy law holds. What looks hardest to
    compress is random text, so junk of that kind scores highly: it has to be gone before. Samples after the first
    `most` keep the order they last had by themselves. In the reference implementation what was shortlisted once and not
    taken is lost for good; here it stays in the running.

    Source: ZIP of Yin et al. 2024, *Entropy Law: The Story Behind Data Compression and LLM Performance*,
    https://arxiv.org/abs/2407.06645.
    """

    most: int = Field(default=2000, ge=1)
    """Samples that are ranked after each other, at the least the budget of whoever selects; time grows with it."""
    looked_at: int = Field(default=10_000, ge=1)
    """K1 of the paper: samples that are compared after what was taken."""
    shortlisted: int = Field(default=200, ge=1)
    """K2: the best of them."""
    taken: int = Field(default=100, ge=1)
    """K3: what is taken of these before the next comparison."""

    async def score(self, pool: Pool, context: Context) -> Scores:
        """Give 1 to the first, and in equal steps down to 1/n to the last."""
        del context
        by_id = np.argsort(np.array(pool.ids, dtype=np.str_), kind="stable")
        texts = [pool.texts[i].encode("utf-8", "replace") for i in by_id]
        chosen, rest = rank(
            texts, most=self.most, looked_at=self.looked_at, shortlisted=self.shortlisted, taken=self.taken
        )
        scores_S = np.empty(len(pool))
        scores_S[by_id[np.array([*chosen, *rest], dtype=np.int64)]] = np.arange(len(pool), 0, -1) / max(1, len(pool))
        return scores_S
