"""The record of what a student said to items of an exam that it got wrong."""

from collections.abc import Mapping
from typing import ClassVar

from .records import Record


class Said(Record):
    """Wrong answers of one exam, the first so many of every skill; the exam itself keeps what was right."""

    kind: ClassVar[str] = "said"
    filed = ("round", "exam")

    round: int
    exam: str
    """Id of the exam."""
    exact: bool
    """Whether a right answer is the reference, letter by letter."""
    answers: Mapping[str, str]
    """By the item's number in the split's order, from 1."""
