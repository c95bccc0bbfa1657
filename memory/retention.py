"""The record of weights that were removed to save disk; what they scored stays in the other records."""

from typing import ClassVar

from .ledger import Ledger
from .records import Arm, Record


class Removal(Record):
    """The weights of one round, gone."""

    kind: ClassVar[str] = "removal"
    filed = ("round", "checkpoint")

    round: int
    """Round in which they were removed."""
    number: int
    """Round that had made them."""
    arm: Arm
    checkpoint: str
    """Digest of the student they were."""
    path: str
    """Folder of the student, relative to the run; what is no weights is still in it."""
    bytes: int
    reason: str


def removals(ledger: Ledger) -> dict[str, Removal]:
    """Whose weights are gone, by the student's folder relative to the run."""
    return {removal.path: removal for removal in ledger.read(Removal)}
