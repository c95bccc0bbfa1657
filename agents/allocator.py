"""How a round's budget is split over skills: a pure function of what the ledger says happened."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from ..memory.parts import Part


@dataclass(frozen=True, slots=True)
class History:
    """What a skill showed in every round so far, oldest first."""

    skill: str
    passed: tuple[int, ...]
    tried: tuple[int, ...]
    chance: tuple[float, ...]
    """Pass rate by luck alone in each round; see `Probe.chance`."""
    taught: tuple[int, ...]
    """Samples given in each earlier round; one shorter than the others."""
    mastered: bool
    abandoned: bool

    @property
    def rate(self) -> float:
        """Latest pass rate, corrected for chance: 0 is luck, 1 is perfect."""
        return corrected(self.passed[-1], self.tried[-1], self.chance[-1])


class Portion(NamedTuple):
    """Part of a round's budget."""

    samples: int
    reason: str


class Allocator(Part):
    """Base of every allocator."""

    kind: ClassVar[str] = "allocator"

    @abstractmethod
    def split(self, histories: Sequence[History], budget: int, *, even: int) -> Mapping[str, Portion]:
        """Split a budget.

        Args:
            histories: one per target skill; their order does not matter.
            budget: samples to give at most; giving fewer is allowed.
            even: samples a skill would get if the round were drawn evenly over all skills, guards included.
        """


def corrected(passed: int, tried: int, chance: float) -> float:
    """Pass rate corrected for chance, in [0, 1] (Cohen 1960)."""
    from ..memory.statistics import chance_corrected

    return chance_corrected(passed / tried if tried else 0.0, chance)
