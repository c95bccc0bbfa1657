"""Give to what can be learned now: intermediate pass rates, progress, and a little to what is unknown.

Utility of a skill = 4p(1−p) + progress·|slope| + exploration·(1−p)/√(1 + rounds so far), with p corrected for chance,
so that a coin the student calls right half the time counts as 0 and not as the most learnable thing there is.
Slope counts beyond two standard errors only. A skill that is not above luck beyond doubt gets at most an even share
of what the round really spends, whatever its utility: noise never costs more than it would without a loop. Abandoned
and mastered skills keep the floor.

Sources: 4p(1−p): Florensa et al. 2018, arXiv:1705.06366; |slope|: Matiisen et al. 2017, arXiv:1707.00183.
"""

import math
from collections.abc import Mapping, Sequence, Set

from pydantic import Field

from ..allocator import Allocator, History, Portion
from ..weighing import fill


class Learnability(Allocator):
    """Prefer what the student solves sometimes, and what is moving."""

    floor: float = Field(default=0.15, ge=0, le=1)
    """Share of the budget that is spread evenly over all skills, so that none is forgotten or written off unseen."""
    cap: float = Field(default=0.5, gt=0, le=1)
    """Largest share of the budget for one skill."""
    progress: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    """Weight of the slope."""
    exploration: float = Field(default=0.6, ge=0, allow_inf_nan=False)
    """Weight of not having been taught."""

    def split(self, histories: Sequence[History], budget: int, *, replay: int, skills: int) -> Mapping[str, Portion]:
        """Floor for all, the rest by utility, capped; what the caps leave is not spent."""
        least = int(self.floor * budget / len(histories))
        utilities = {h.skill: self._utility(h) for h in sorted(histories, key=lambda h: h.skill)}
        room = dict.fromkeys(utilities, max(0, int(self.cap * budget) - least))
        heard = {h.skill for h in histories if h.answers}
        free = budget - least * len(histories)
        extra = fill(utilities, room, free)
        extra = self._evened(extra, heard, least, replay, skills)
        left = {s: room[s] - extra[s] if s in heard else 0 for s in extra}
        more = fill(utilities, left, free - sum(extra.values()))
        extra = {s: extra[s] + more[s] for s in extra}
        return {h.skill: Portion(least + extra[h.skill], self._reason(h, utilities[h.skill])) for h in histories}

    def _evened(
        self, extra: Mapping[str, int], heard: Set[str], least: int, replay: int, skills: int
    ) -> dict[str, int]:
        """Lower what silent skills get until none has more than an even share of what is spent."""
        given = dict(extra)
        while True:
            spent = replay + sum(least + e for e in given.values())
            even = max(0, spent // skills - least)
            lowered = {s: e if s in heard else min(e, even) for s, e in given.items()}
            if lowered == given:
                return given
            given = lowered

    def _utility(self, history: History) -> float:
        if history.done:
            return 0.0
        p = history.rate
        unknown = self.exploration * (1 - p) / math.sqrt(1 + len(history.taught))
        return 4 * p * (1 - p) + self.progress * history.slope + unknown

    def _reason(self, history: History, utility: float) -> str:
        if history.abandoned:
            return "abandoned: floor only"
        if history.mastered:
            return "mastered: floor only"
        return f"utility {utility:.2f} (p {history.rate:.2f} above chance, slope {history.slope:.2f})"
