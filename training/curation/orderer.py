"""In which order samples are trained on: the base of every orderer."""

from abc import abstractmethod
from typing import ClassVar

from ...memory.parts import Part
from .pool import Indices, Pool, Scores


class Orderer(Part):
    """Puts samples in an order for every pass of training."""

    kind: ClassVar[str] = "orderer"
    scored: ClassVar[bool] = False
    """Whether it orders by scores; one that does not is given none."""
    kept: ClassVar[bool] = True
    """Whether training has to keep to the order; otherwise the trainer may mix as it likes."""

    @abstractmethod
    def order(self, pool: Pool, scores_S: Scores, *, seed: int) -> Indices:
        """Give every position in the pool once, the first to be trained on first.

        Args:
            pool: the samples, sorted by id; may be empty.
            scores_S: one finite number each; zeros where it orders without.
            seed: fixes everything random.
        """
