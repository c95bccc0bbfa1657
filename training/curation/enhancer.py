"""Making samples better, or saying why they cannot be used: the base of every enhancer."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from ...memory.parts import Part
from .pool import Context, Need, Pool


class Change(NamedTuple):
    """What becomes of one sample."""

    question: str | None = None
    """The question as it should be asked; None leaves it."""
    answer: str | None = None
    """The answer as it should be given; None leaves it."""
    refused: str = ""
    """Why it must not be trained on; empty where it may."""


AS_IS = Change()


class Enhancer(Part):
    """Looks at every sample of a pool and leaves it, changes its words, or refuses it with a reason."""

    kind: ClassVar[str] = "enhancer"
    needs: ClassVar[frozenset[Need]] = frozenset()
    """What it cannot do without beside the samples' text."""

    @abstractmethod
    async def enhance(self, pool: Pool, context: Context) -> Sequence[Change]:
        """Say what becomes of every sample, in the pool's order.

        Args:
            pool: the samples; may be empty.
            context: has all that `needs` names.
        """
