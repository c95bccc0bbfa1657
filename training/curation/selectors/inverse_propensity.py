"""The rarer the likelier."""

from ..pool import Indices, Pool, Scores
from ..sampling import draw
from ..selector import Selector


class InversePropensity(Selector):
    """Draw without replacement with chances ∝ exp(score); a score is the logarithm of a weight.

    With the scorer `density`, which gives the negative logarithm of a sample's density, chances are ∝ 1/density: what
    is common is thinned out and what is rare is kept, so that the choice is spread evenly over the space of vectors.

    Source: Sachdeva et al. 2024, *How to train data-efficient LLMs*, arXiv:2402.09668 (inverse propensity sampling).
    """

    def select(self, pool: Pool, scores_S: Scores, budget: int, *, seed: int) -> Indices:
        """Give `budget` samples, those drawn first before the others."""
        return draw(pool, scores_S, budget, seed=seed)
