"""One step of the graph."""

from abc import abstractmethod
from typing import ClassVar, TypedDict

from ..memory.parts import Part
from .desk import Desk


class State(TypedDict):
    """What travels through the graph: ids and counters only; everything else is in the ledger."""

    round: int
    student: str
    """Digest of the promoted student."""
    path: str
    """Its folder, relative to the run."""
    candidate: str
    candidate_path: str
    attempt: int
    """How often this round's samples were written."""
    missing: int
    """Samples that critique turned down and that are to be written again."""
    finished: bool
    """Nothing is left to teach, or no round is left."""
    approved: bool
    """A person let the round's data through, or nobody was asked."""
    effects: int
    """Effects that were committed when the last node ended: a ledger that holds fewer is older than this place."""


class Update(TypedDict, total=False):
    """What a node changes in the state."""

    round: int
    student: str
    path: str
    candidate: str
    candidate_path: str
    attempt: int
    missing: int
    finished: bool
    approved: bool
    effects: int


class Node(Part):
    """Base of every node: stateless, at least once; what it does happens through the effect ledger."""

    kind: ClassVar[str] = "node"

    @abstractmethod
    async def run(self, state: State, desk: Desk) -> Update:
        """Do the step, give what changes in the state."""
