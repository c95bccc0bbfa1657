"""Those with a score between two bounds."""

from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ..pool import Indices, Pool, Scores
from ..sampling import draw
from ..selector import Selector


class Threshold(Selector):
    """Keep to a band of scores: neither what is worthless nor what is odd.

    Cherry LLM drops all with an IFD above 1 by such a bound and takes examples between two quantiles to begin with.

    Source: Li et al. 2023, *From quantity to quality*, arXiv:2308.12032.
    """

    low: float | None = Field(default=0.25, allow_inf_nan=False)
    """Lowest score; None for no bound."""
    high: float | None = Field(default=0.75, allow_inf_nan=False)
    """Highest score; None for no bound."""
    by: Literal["quantile", "value"] = "quantile"
    """Whether bounds are shares of the pool, from 0 for the lowest score to 1 for the highest, or scores."""
    then: Literal["random", "top"] = "random"
    """Which are taken if more lie within than the budget allows: a fair draw, or the best of them."""

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}; no score lies between them")
        if self.by == "quantile" and any(not 0 <= bound <= 1 for bound in (self.low, self.high) if bound is not None):
            raise ValueError("quantiles lie between 0 and 1; for bounds on the score itself set by = 'value'")
        return self

    def select(self, pool: Pool, scores_S: Scores, budget: int, *, seed: int) -> Indices:
        """Give samples within the bounds, which are part of the band."""
        if not len(pool):
            return np.zeros(0, dtype=np.int64)
        low, high = (self._score(scores_S, bound) for bound in (self.low, self.high))
        inside = np.ones(len(pool), dtype=np.bool_)
        inside &= scores_S >= low if low is not None else True
        inside &= scores_S <= high if high is not None else True
        if self.then == "random":
            order = draw(pool, np.zeros(len(pool)), len(pool), seed=seed)
        else:
            order = pool.by_id[np.argsort(-scores_S[pool.by_id], kind="stable")]
        return order[inside[order]][:budget]

    def _score(self, scores_S: Scores, bound: float | None) -> float | None:
        if bound is None or self.by == "value":
            return bound
        # one of the scores, so that rounding cannot put a bound beside the score it means
        return float(np.quantile(scores_S, bound, method="closest_observation"))
