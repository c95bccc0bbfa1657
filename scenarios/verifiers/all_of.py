"""The answer is as good as the strictest of several verifiers says."""

from ...memory.records import Task, Verdict
from ..combination import Combination


class AllOf(Combination):
    """Take the lowest score of the parts: right only where all of them pass."""

    def judge(self, task: Task, answer: str) -> Verdict:
        """Score what the strictest part scores."""
        verdicts = self.ask(task, answer)
        return self.say(min(verdict.score for verdict in verdicts), verdicts)
