"""How an answer is judged."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from ..memory.parts import Part
from ..memory.records import Task, Verdict


class Verifier(Part):
    """Base of every verifier: a pure function of a task and an answer."""

    kind: ClassVar[str] = "verifier"

    teacher_forced: ClassVar[bool] = False
    """Whether passing is the same as producing the reference answer token by token, so that a greedy exam needs
    one forward pass instead of generation."""

    @abstractmethod
    def judge(self, task: Task, answer: str) -> Verdict:
        """Judge one answer; wrong answers are data, only a broken verifier raises."""

    def judge_all(self, tasks: Sequence[Task], answers: Sequence[str]) -> list[Verdict]:
        """Judge an answer to each task, in their order; several at once where that is faster."""
        return [self.judge(task, answer) for task, answer in zip(tasks, answers, strict=True)]
