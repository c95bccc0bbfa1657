"""The answer is as good as several verifiers say together, each by its weight."""

import math
from collections.abc import Sequence
from typing import Self

from pydantic import model_validator

from ...memory.records import Verdict
from ..combination import Combination


class Weighted(Combination):
    """Take the weighted mean of the parts' scores: right only where all of them with a weight pass."""

    weights: tuple[float, ...] = ()
    """One for each part, in their order, 0 or more; by default all count the same."""

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.weights and len(self.weights) != len(self.parts):
            raise ValueError(f"{len(self.weights)} weights for {len(self.parts)} parts; write one for each")
        if any(not 0 <= weight < math.inf for weight in self.weights) or (self.weights and not any(self.weights)):
            raise ValueError("weights have to be 0 or more, and one above 0")
        return self

    def combine(self, verdicts: Sequence[Verdict]) -> Verdict:
        """Score the mean."""
        weights = self.weights or (1.0,) * len(self.parts)
        counted = [(weight, verdict) for weight, verdict in zip(weights, verdicts, strict=True) if weight]
        if all(verdict.passed for _, verdict in counted):
            return self.say(1.0, verdicts)  # without what adding fractions up loses
        mean = math.fsum(weight * verdict.score for weight, verdict in counted) / math.fsum(weights)
        return self.say(min(mean, math.nextafter(1.0, 0.0)), verdicts)
