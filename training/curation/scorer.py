"""How much a sample is worth: the base of every scorer."""

from abc import abstractmethod
from typing import ClassVar

from ...memory.parts import Part
from .pool import Context, Need, Pool, Scores


class Scorer(Part):
    """Gives every sample of a pool a number; what becomes of it is a selector's or an orderer's matter."""

    kind: ClassVar[str] = "scorer"
    needs: ClassVar[frozenset[Need]] = frozenset()
    """What it cannot do without beside the samples' text."""
    goes_with: ClassVar[str] = "top"
    """Selector that chooses by its scores where nobody named one."""

    @abstractmethod
    async def score(self, pool: Pool, context: Context) -> Scores:
        """Score every sample, higher is better to train on.

        Args:
            pool: the samples; may be empty, of one sample, or of equal ones.
            context: has all that `needs` names.

        Returns:
            Finite float64 of shape `(len(pool),)`, the same for the same seed, whatever the order of the pool.
        """
