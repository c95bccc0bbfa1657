"""How an answer is judged."""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from ..memory.inference import NOBODY, Models, Role
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

    async def judged(self, tasks: Sequence[Task], answers: Sequence[str], *, models: Models = NOBODY) -> list[Verdict]:
        """Judge as `judge_all` does; whoever asks models does so here, and is judged by no other way.

        Args:
            tasks: what was asked.
            answers: an answer to each.
            models: who may be asked, by role; all that `asks` names are there.

        Raises:
            UnavailableError: a model did not say what it thinks of an answer.
            BudgetError: a budget is spent.
        """
        del models
        return self.judge_all(tasks, answers)

    async def decided(
        self, tasks: Sequence[Task], answers: Sequence[str], *, models: Models = NOBODY
    ) -> list[Verdict | None]:
        """Judge as `judged` does; None where a task is such that nothing can be said of any answer.

        For tasks that a model may have written, whose reference may be no query or no JSON.
        """
        try:
            return [*await self.judged(tasks, answers, models=models)]
        except ValueError:
            if len(tasks) == 1:
                return [None]
        pairs = zip(tasks, answers, strict=True)
        return [one for t, answer in pairs for one in await self.decided([t], [answer], models=models)]

    def check(self, skills: Collection[str]) -> None:
        """Refuse settings that do not go with a scenario's skills.

        Raises:
            PartError: with what to change.
        """
        del skills

    @property
    def asks(self) -> frozenset[Role]:
        """Roles of the models that it cannot do without; none where it is a program."""
        return frozenset()

    def panel(self, *, turned: bool = False) -> Mapping[str, "Verifier"]:
        """Every judge that it asks as a verifier of its own, by name, to be tried before it decides anything.

        Args:
            turned: have them see an answer before its question, where they usually see it after, and the reverse.
        """
        del turned
        return {}
