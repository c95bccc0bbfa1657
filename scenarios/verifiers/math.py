"""The answer ends in what the reference says, as mathematics: 1/2 is 0.5, and x + 1 is 1 + x.

Read and compared by math-verify (`pip install 'evolvent[math]'`), in a process that is killed where it takes too long.
"""

from importlib.util import find_spec
from typing import Self

from pydantic import Field, model_validator

from ...memory.records import Task, Verdict
from ..verifier import Verifier
from ..worker import Overrun, worker

LONGEST = 5_000
"""Characters of an answer's end that are looked at: what is asked for stands there."""


class Math(Verifier):
    """Compare the last formula or number of an answer, a boxed one first, with the reference's."""

    seconds: float = Field(default=5.0, gt=0, le=600)
    """Time of a comparison."""
    memory: int = Field(default=2 << 30, ge=512 << 20)
    """Bytes of address space of the process that compares."""

    @model_validator(mode="after")
    def _installed(self) -> Self:
        if find_spec("math_verify") is None:
            raise ValueError("math-verify is not installed; try: pip install 'evolvent[math]'")
        return self

    def judge(self, task: Task, answer: str) -> Verdict:
        """Score 1 when both are the same.

        Raises:
            ValueError: nothing can be read in the reference.
        """
        if not answer.strip():
            return Verdict(score=0.0, reason="no formula in ''")
        request = {"reference": task.answer, "answer": answer[-LONGEST:]}
        try:
            said = worker("equations", self.memory).ask(request, seconds=self.seconds)
        except Overrun as error:
            return Verdict(score=0.0, reason=f"comparing with {answer[-200:]!r} {error}")
        if not said["reference"]:
            raise ValueError(
                f"task {task.key!r}: reference answer {task.answer!r} is no mathematics; use verifier 'exact'"
            )
        if said["equal"] or answer.strip() == task.answer.strip():
            return Verdict(score=1.0)
        if not said["answer"]:
            return Verdict(score=0.0, reason=f"no formula in {answer[-200:]!r}")
        return Verdict(score=0.0, reason=f"expected {said['reference']}, got {said['answer']}")
