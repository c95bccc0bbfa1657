"""An allocator that only weighs skills: floor, cap and the rule for what was given up are the same for all of them.

Every skill gets the floor, so that none is forgotten or written off unseen. The rest goes by weight, and no skill gets
more than the cap; what the caps leave is not spent. A skill that was given up, or is mastered, keeps the floor alone:
an allocator that pays for failure would otherwise pay most for what cannot be learned.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence

from pydantic import Field

from .allocator import Allocator, History, Portion


class Weighing(Allocator):
    """Base of allocators that give each skill a weight."""

    floor: float = Field(default=0.15, ge=0, le=1)
    """Share of the budget that is spread evenly over all skills."""
    cap: float = Field(default=0.5, gt=0, le=1)
    """Largest share of the budget for one skill."""

    @abstractmethod
    def weigh(self, histories: Sequence[History]) -> Mapping[str, float]:
        """Give every skill a weight of 0 or more; those that were given up or are mastered are not among them.

        Args:
            histories: of the others, at least one, in the order of their names.
        """

    def split(self, histories: Sequence[History], budget: int, *, replay: int, skills: int) -> Mapping[str, Portion]:
        """Floor for all, the rest by weight, capped."""
        del replay, skills
        active = sorted((h for h in histories if not h.done), key=lambda h: h.skill)
        weights = self.weigh(active) if active else {}
        least = int(self.floor * budget / len(histories))
        room = dict.fromkeys((h.skill for h in active), max(0, int(self.cap * budget) - least))
        extra = fill(weights, room, budget - least * len(histories))
        return {
            h.skill: Portion(least + extra.get(h.skill, 0), reason(h, weights.get(h.skill, 0.0))) for h in histories
        }


def reason(history: History, weight: float) -> str:
    """Say what a skill's share stands on."""
    if history.done:
        return f"{'abandoned' if history.abandoned else 'mastered'}: floor only"
    return f"weight {weight:.2f} (p {history.rate:.2f} above chance, slope {history.slope:.2f})"


def fill(weights: Mapping[str, float], room: Mapping[str, int], budget: int) -> dict[str, int]:
    """Share a budget in proportion to weights without exceeding anyone's room (water filling)."""
    given = dict.fromkeys(weights, 0)
    open_ = {s for s, w in weights.items() if w > 0 and room[s] > 0}
    left = budget
    while open_ and left > 0:
        total = sum(weights[s] for s in sorted(open_))
        wanted = {s: left * (weights[s] / total) for s in sorted(open_)}
        full = {s for s in wanted if given[s] + wanted[s] >= room[s]}
        for skill in full or set(wanted):
            given[skill] = room[skill] if full else given[skill] + int(wanted[skill])
        if not full:
            break
        open_ -= full
        left = budget - sum(given.values())
    return given
