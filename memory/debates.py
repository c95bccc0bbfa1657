"""The record of judges who disagreed on a sample and saw what the others had said."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from .records import Record


class Turn(BaseModel):
    """What one judge said in one turn."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    turn: int
    """0 before it saw anybody else's words."""
    judge: str
    verdict: str
    """Empty where it could not be read."""
    reason: str


class Debate(Record):
    """Everything that was said of one sample, in order; the last turn of each judge is what counted."""

    kind: ClassVar[str] = "debate"
    filed = ("round", "sample")

    sample: str
    round: int
    turns: tuple[Turn, ...]
