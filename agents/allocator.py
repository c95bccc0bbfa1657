"""How a round's budget is split over skills: a pure function of what the ledger says happened."""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from ..memory.parts import Part
from ..memory.statistics import chance_corrected


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
    reached: int
    """Last round whose samples are in the promoted student; 0 for none."""
    mastered: bool
    abandoned: bool

    @property
    def rate(self) -> float:
        """Latest pass rate, corrected for chance: 0 is luck, 1 is perfect."""
        return self._rate(-1)

    @property
    def slope(self) -> float:
        """Size of the last change of that rate beyond two standard errors, in [0, 1]; falling counts as moving."""
        if len(self.tried) < 2:
            return 0.0
        return max(0.0, abs(self._rate(-1) - self._rate(-2)) - 2 * math.hypot(self._error(-1), self._error(-2)))

    def _rate(self, at: int) -> float:
        return chance_corrected(self.passed[at] / max(1, self.tried[at]), self.chance[at])

    def _error(self, at: int) -> float:
        """Standard error of a round's rate, with one pass and one failure added so that it is never 0."""
        passed, tried = self.passed[at] + 1, self.tried[at] + 2
        return math.sqrt(passed * (tried - passed) / tried**3) / (1 - min(self.chance[at], 0.99))


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
