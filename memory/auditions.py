"""The record of a judge that was tried on answers whose verdict is known."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from .records import Record


class Tally(BaseModel):
    """How many of some things were so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int
    of: int


class Audition(Record):
    """What one judge said of answers whose verdict is known, before anything hung on its word."""

    kind: ClassVar[str] = "audition"
    filed = (None, "judge")

    judge: str
    agreed: Tally
    """Right and wrong answers, equally many, that it took for what they are."""
    kappa: float
    """Cohen's κ of that agreement."""
    kappa_low: float
    """Exact lower bound of κ."""
    nulls: Tally
    """Empty and constant answers that it accepted."""
    swayed: Tally
    """Wrong answers that it accepted once they were padded at length."""
    turned: Tally
    """Answers that it judged rightly, and wrongly once the answer stood before the question."""
    words: Mapping[str, int]
    """How often it said what."""
    sound: bool
    """Whether it may decide anything."""
    reason: str
