"""What a prober works with. Whatever it does stays here: what it asked, and what came of it."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...memory.records import Attempt, Task, Verdict
from ...scenarios.splits import Splits
from ...training.tokenizer import unreadable

Json = dict[str, Any]

CLOSED = "cannot be asked here; ask another"
"""Said of what an exam owns: that it does is not told."""


@dataclass(slots=True)
class Bench:
    """A student, a memory and a verifier within reach, for one skill in one round."""

    skill: str
    round: int
    student: str
    """Digest of the student."""
    splits: Splits
    judge: Callable[[Sequence[Task], Sequence[str]], Awaitable[list[Verdict | None]]]
    """Judges an answer to each task, as exams do."""
    ask: Callable[[Sequence[Task]], Awaitable[list[str]]]
    """Gives the student's answers."""
    recall: Callable[[str], list[Json]]
    """Gives what memory holds on something, likest first."""
    sound: Callable[[], Awaitable[Collection[str]]]
    """Gives the judges that may decide."""
    answers: dict[str, tuple[Task, str]] = field(default_factory=dict[str, tuple[Task, str]])
    """By question: the task, without a reference, and what the student said."""
    attempts: dict[str, Attempt] = field(default_factory=dict[str, Attempt])
    """By question: attempts whose right answer is known."""

    async def put(self, questions: Sequence[str]) -> dict[str, str]:
        """Ask the student what it was not asked yet; give the reason for every question that it cannot be asked."""
        refused: dict[str, str] = {}
        fresh: dict[str, Task] = {}
        for question in dict.fromkeys(questions):
            if question in self.answers:
                continue
            task = self._task(question)
            if isinstance(task, Task):
                fresh[question] = task
            else:
                refused[question] = task
        said = await self.ask(list(fresh.values())) if fresh else []
        for (question, task), answer in zip(fresh.items(), said, strict=True):
            self.answers[question] = task, answer
        return refused

    async def settle(self, right: Mapping[str, str]) -> None:
        """Judge the student's answers to questions whose right answers have been found."""
        known = [self.answers[question][0].model_copy(update={"answer": right[question]}) for question in right]
        said = [self.answers[question][1] for question in right]
        for question, task, answer, verdict in zip(right, known, said, await self.judge(known, said), strict=True):
            if verdict is not None:
                self.attempts[question] = Attempt(
                    task=task, student=self.student, round=self.round, purpose="designed", answer=answer,
                    verdict=verdict,
                )  # fmt: skip

    def _task(self, question: str) -> Task | str:
        """A question as a task of the skill, or why it is none."""
        if (strange := unreadable(question)) is not None:
            return f"it holds {strange!r}, which the student cannot read"
        try:
            task = self.splits.adopt(self.skill, question, "")
        except ValueError as error:
            return str(error)
        return task if self.splits.owner(task.key) in ("probe", "train") else CLOSED
