"""The answer is as good as the strictest of several verifiers says."""

from collections.abc import Sequence

from ...memory.records import Verdict
from ..combination import Combination


class AllOf(Combination):
    """Take the lowest score of the parts: right only where all of them pass."""

    def combine(self, verdicts: Sequence[Verdict]) -> Verdict:
        """Score what the strictest part scores."""
        return self.say(min(verdict.score for verdict in verdicts), verdicts)
