"""Give to what can be learned now: intermediate pass rates, progress, and a little to what is unknown.

Utility of a skill = 4p(1−p) + progress·|slope| + exploration·(1−p)/√(1 + rounds taught), with p corrected for chance,
so that a coin the student calls right half the time counts as 0 and not as the most learnable thing there is.
Slope counts beyond two standard errors only. No skill that has not answered to teaching yet gets more than an even
share, whatever its utility; abandoned and mastered ones keep the floor.

Sources: 4p(1−p): Florensa et al. 2018, arXiv:1705.06366; |slope|: Matiisen et al. 2017, arXiv:1707.00183.
"""

import math
from collections.abc import Mapping, Sequence

from pydantic import Field

from ..allocator import Allocator, History, Portion


class Learnability(Allocator):
    """Prefer what the student solves sometimes, and what is moving."""

    floor: float = Field(default=0.15, ge=0, le=1)
    """Share of the budget that is spread evenly over all skills, so that none is forgotten or written off unseen."""
    cap: float = Field(default=0.5, gt=0, le=1)
    """Largest share of the budget for one skill."""
    progress: float = Field(default=1.0, ge=0)
    """Weight of the slope."""
    exploration: float = Field(default=0.6, ge=0)
    """Weight of not having been taught."""

    def split(self, histories: Sequence[History], budget: int, *, even: int) -> Mapping[str, Portion]:
        """Floor for all, the rest by utility, capped; what the caps leave is not spent."""
        least = int(self.floor * budget / len(histories))
        utilities = {h.skill: self._utility(h) for h in sorted(histories, key=lambda h: h.skill)}
        limits = {h.skill: self._limit(h, budget, even) for h in histories}
        free = budget - least * len(histories)
        extra = _fill(utilities, {s: max(0, limits[s] - least) for s in utilities}, free)
        return {h.skill: Portion(least + extra[h.skill], self._reason(h, utilities[h.skill])) for h in histories}

    def _utility(self, history: History) -> float:
        if history.abandoned or history.mastered:
            return 0.0
        p = history.rate
        unknown = self.exploration * (1 - p) / math.sqrt(1 + len(history.taught))
        return 4 * p * (1 - p) + self.progress * history.slope + unknown

    def _limit(self, history: History, budget: int, even: int) -> int:
        answered = history.rate > 0 and (history.slope > 0 or history.rate > 0.5)
        return int(self.cap * budget) if answered else min(even, int(self.cap * budget))

    def _reason(self, history: History, utility: float) -> str:
        if history.abandoned:
            return "abandoned: floor only"
        if history.mastered:
            return "mastered: floor only"
        return f"utility {utility:.2f} (p {history.rate:.2f} above chance, slope {history.slope:.2f})"


def _fill(utilities: Mapping[str, float], room: Mapping[str, int], budget: int) -> dict[str, int]:
    """Share a budget in proportion to utility without exceeding anyone's room (water filling)."""
    given = dict.fromkeys(utilities, 0)
    open_ = {s for s, u in utilities.items() if u > 0 and room[s] > 0}
    left = budget
    while open_ and left > 0:
        total = sum(utilities[s] for s in open_)
        wanted = {s: left * utilities[s] / total for s in sorted(open_)}
        full = {s for s in wanted if given[s] + wanted[s] >= room[s]}
        for skill in full or set(wanted):
            given[skill] = room[skill] if full else given[skill] + int(wanted[skill])
        if not full:
            break
        open_ -= full
        left = budget - sum(given.values())
    return given
