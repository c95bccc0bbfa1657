"""Which samples are trained on: the base of every selector."""

from abc import abstractmethod
from typing import ClassVar

from ...memory.parts import Part
from .pool import Indices, Need, Pool, Scores


class Selector(Part):
    """Chooses samples under a budget."""

    kind: ClassVar[str] = "selector"
    needs: ClassVar[frozenset[Need]] = frozenset()
    """`vectors` or nothing."""
    scored: ClassVar[bool] = True
    """Whether it chooses by scores; one that does not is given none."""

    @abstractmethod
    def select(self, pool: Pool, scores_S: Scores, budget: int, *, seed: int) -> Indices:
        """Choose at most `budget` samples.

        Args:
            pool: the samples; may be empty.
            scores_S: one finite number each, higher is better; zeros where it chooses without.
            budget: samples wanted, at least 0; fewer come back only where the pool or the method has no more.
            seed: fixes everything random.

        Returns:
            Distinct positions in the pool, in the order they were chosen.
        """
