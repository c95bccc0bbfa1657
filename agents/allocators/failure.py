"""Give in proportion to failures: what most loops do, and a trap where something cannot be learned.

Without the rule for what was given up, the most would go to noise. Source of the rule: Liang et al. 2025, SwS,
arXiv:2506.08989 (budget of a category by its normalised share of failures).
"""

from collections.abc import Mapping, Sequence

from ..allocator import History
from ..weighing import Weighing


class Failure(Weighing):
    """Prefer what fails most."""

    def weigh(self, histories: Sequence[History]) -> Mapping[str, float]:
        """Weight 1 − p, with p corrected for chance."""
        return {h.skill: 1 - h.rate for h in histories}
