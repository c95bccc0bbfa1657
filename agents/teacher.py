"""Who finds out why the student fails, and writes what it learns from."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..memory.inference import Role
from ..memory.parts import Part
from ..memory.records import Attempt, Sample, Share, Weakness
from ..scenarios.splits import Splits


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A guess at what failures share, before it is tested."""

    skill: str
    words: str
    rule: tuple[str, ...]
    failures: tuple[str, ...]
    """Ids of the failing attempts it explains."""
    foreseen: float
    """Pass rate it expects on fresh tasks under its rule."""
    p_value: float


class Teacher(Part):
    """Base of every teacher."""

    kind: ClassVar[str] = "teacher"
    asks: ClassVar[tuple[Role, ...]] = ()
    """Roles of the models it cannot do without."""

    @abstractmethod
    async def diagnose(
        self, skill: str, attempts: Sequence[Attempt], elsewhere: Sequence[Attempt], splits: Splits
    ) -> list[Hypothesis]:
        """Explain the failures of one skill, surest first; the first few are tested.

        Args:
            skill: the skill.
            attempts: this round's attempts at it, right and wrong.
            elsewhere: right answers to other skills, for contrast.
            splits: knows the source and its vocabulary.
        """

    @abstractmethod
    async def write(
        self, share: Share, weakness: Weakness | None, count: int, splits: Splits, *, attempt: int
    ) -> list[Sample]:
        """Write training samples for one share of the budget.

        Args:
            share: which skill or weakness they are for.
            weakness: the weakness, if the share has one.
            count: how many; fewer may come back.
            splits: draws tasks that belong to no exam.
            attempt: 1 for the first try, higher when critique rejected some.
        """
