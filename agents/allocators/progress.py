"""Give to what is moving: learning progress, whichever way it goes.

The absolute value makes forgetting as interesting as learning, so a skill that falls back gets its turn again. What
never moved since it was first seen has weight 0 and lives on the floor, as noise does.

Source: Matiisen et al. 2017, Teacher-Student Curriculum Learning, arXiv:1707.00183 (the online algorithm: an
exponential mean of the change of the score; the floor stands for its ε).
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from pydantic import Field

from ..allocator import History
from ..weighing import Weighing


class Progress(Weighing):
    """Prefer what changes."""

    memory: float = Field(default=0.5, ge=0, lt=1)
    """How much of the running mean a new round leaves standing; 0 looks at the last change alone."""

    def weigh(self, histories: Sequence[History]) -> Mapping[str, float]:
        """Weight |running mean of changes|; the same for all as long as nothing has moved."""
        weights = {h.skill: abs(self._mean(h.rates)) for h in histories}
        return weights if any(weights.values()) else dict.fromkeys(weights, 1.0)

    def _mean(self, rates: Sequence[float]) -> float:
        mean = 0.0
        for before, after in pairwise(rates):
            mean = self.memory * mean + (1 - self.memory) * (after - before)
        return mean
