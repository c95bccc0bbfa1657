"""How a round's budget is split over skills: a pure function of what the ledger says happened."""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from ..memory.parts import Part
from ..memory.statistics import chance_corrected, wilson

BEYOND_DOUBT = 0.999
"""Confidence that a skill is above luck: it is asked of every skill in every round, and noise must not pass."""


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
    promoted: tuple[int, ...]
    """Rounds whose candidate was promoted; it was trained on all samples up to then."""
    mastered: bool
    abandoned: bool
    share: float = 1.0
    """How much of the scenario's own distribution the skill is, in proportion to the other skills' shares."""

    @property
    def done(self) -> bool:
        """Whether nothing is to be won: it is mastered, or was given up."""
        return self.mastered or self.abandoned

    @property
    def rates(self) -> tuple[float, ...]:
        """Pass rates of all rounds, corrected for chance, oldest first."""
        return tuple(self._rate(at) for at in range(len(self.tried)))

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

    @property
    def answers(self) -> bool:
        """Whether the latest pass rate is above luck beyond doubt: teaching, or nature, has moved it."""
        low = wilson(self.passed[-1], self.tried[-1], confidence=BEYOND_DOUBT).low
        return chance_corrected(low, self.chance[-1]) > 0

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

    def check(self, targets: Sequence[str]) -> None:
        """Refuse settings that do not fit the skills to be taught.

        Raises:
            PartError: naming the setting and the way out.
        """
        del targets

    @abstractmethod
    def split(self, histories: Sequence[History], budget: int, *, replay: int, skills: int) -> Mapping[str, Portion]:
        """Split a budget.

        Args:
            histories: one per target skill; their order does not matter.
            budget: samples to give at most; giving fewer is allowed.
            replay: samples of the round that repeat what is known; they come on top of the budget.
            skills: all skills of the scenario, guards included.
        """
