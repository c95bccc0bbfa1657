"""The answer is as good as the mildest of several verifiers says."""

from ...memory.records import Task, Verdict
from ..combination import Combination


class AnyOf(Combination):
    """Take the highest score of the parts: right where one of them passes."""

    def judge(self, task: Task, answer: str) -> Verdict:
        """Score what the mildest part scores."""
        verdicts = self.ask(task, answer)
        return self.say(max(verdict.score for verdict in verdicts), verdicts)
