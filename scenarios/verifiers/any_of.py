"""The answer is as good as the mildest of several verifiers says."""

from collections.abc import Sequence

from ...memory.records import Verdict
from ..combination import Combination


class AnyOf(Combination):
    """Take the highest score of the parts: right where one of them passes."""

    def combine(self, verdicts: Sequence[Verdict]) -> Verdict:
        """Score what the mildest part scores."""
        return self.say(max(verdict.score for verdict in verdicts), verdicts)
