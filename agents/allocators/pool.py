"""What people do without a loop: draw from all the data there is, whatever the student shows.

A skill gets its share of the scenario's own distribution, that is of all tasks its source has. Beside `uniform`, which
needs to know the skills, it is the second baseline; it has no floor, no cap, and gives nothing up.
"""

from collections.abc import Mapping, Sequence

from ..allocator import Allocator, History, Portion


class Pool(Allocator):
    """Split as an even draw from all tasks would."""

    def split(self, histories: Sequence[History], budget: int, *, replay: int, skills: int) -> Mapping[str, Portion]:
        """Give every skill its natural share, abandoned or not; whole samples go to the largest remainders."""
        del replay, skills
        total = sum(h.share for h in histories)
        shares = {h.skill: h.share / total if total else 1 / len(histories) for h in histories}
        given = {skill: int(budget * share) for skill, share in shares.items()}
        order = sorted(given, key=lambda s: (given[s] - budget * shares[s], s))
        for skill in order[: budget - sum(given.values())]:
            given[skill] += 1
        return {skill: Portion(given[skill], f"natural share {shares[skill]:.1%}") for skill in given}
