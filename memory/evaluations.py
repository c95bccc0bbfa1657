"""The record of what a student got in an evaluation of the user's own."""

from typing import ClassVar

from .records import Record


class Evaluated(Record):
    """One student's scores in one evaluation, item by item."""

    kind: ClassVar[str] = "evaluated"
    filed = ("round", "evaluation")

    round: int
    student: str
    evaluation: str
    """What the scenario calls it."""
    items: tuple[str, ...]
    """What its items are called, sorted."""
    marks: tuple[float, ...]
    """Score of each, in [0, 1]."""
    asked: str = ""
    """Digest of their prompts, in that order."""

    @property
    def mean(self) -> float:
        """Mean score, in [0, 1]."""
        return sum(self.marks) / max(1, len(self.marks))
