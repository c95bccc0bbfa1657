"""The better the likelier."""

from pydantic import Field

from ..pool import Indices, Pool, Scores
from ..sampling import draw, standard
from ..selector import Selector


class Tempered(Selector):
    """Draw without replacement with chances ∝ exp(z / τ), z the score in standard deviations.

    Between the best only (τ → 0) and a fair draw (τ → ∞): what a score overlooks still gets in.

    Source: Wettig et al. 2024, *QuRating*, arXiv:2402.09739, which finds τ = 2 best.
    """

    temperature: float = Field(default=2.0, gt=0, allow_inf_nan=False)
    """τ, in standard deviations of the score."""

    def select(self, pool: Pool, scores_S: Scores, budget: int, *, seed: int) -> Indices:
        """Give `budget` samples, those drawn first before the others."""
        return draw(pool, standard(scores_S) / self.temperature, budget, seed=seed)
