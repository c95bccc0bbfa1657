"""The answer is the reference, character for character, apart from space around it."""

from typing import ClassVar

from ...memory.records import Task, Verdict
from ..verifier import Verifier


class Exact(Verifier):
    """Compare with the reference answer."""

    teacher_forced: ClassVar[bool] = True

    def judge(self, task: Task, answer: str) -> Verdict:
        """Score 1 when answer and reference are equal after stripping."""
        if answer.strip() == task.answer.strip():
            return Verdict(score=1.0)
        return Verdict(score=0.0, reason=f"expected {task.answer!r}, got {answer[:200]!r}")
