"""Give to what pays off, and to what has hardly been tried: an upper confidence bound on learning progress.

A round splits its budget instead of pulling one arm, so a skill's index is its weight, and an even share of one round
counts as one pull. The reward of a pull is how much the pass rate moved in that round.

Sources: Auer et al. 2002, https://doi.org/10.1023/A:1013689704352 (UCB1); reward: Matiisen et al. 2017,
arXiv:1707.00183.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean

from pydantic import Field

from ..allocator import History
from ..weighing import Weighing


class Ucb(Weighing):
    """Prefer what moved, with a bonus for what was taught little."""

    bonus: float = Field(default=0.3, ge=0, allow_inf_nan=False)
    """Weight of the confidence bound; UCB1 has 1.4 for rewards that fill [0, 1], and rates move less in a round."""

    def weigh(self, histories: Sequence[History]) -> Mapping[str, float]:
        """Weight mean |change| + bonus·√(ln N / n), n pulls of this skill and N of all."""
        rounds = max(len(h.taught) for h in histories)
        # a round's total is that of the skills weighed here: what was given up no longer counts
        totals = [sum(h.taught[at] for h in histories if at < len(h.taught)) for at in range(rounds)]
        pulls = {h.skill: 1 + len(histories) * _share(h.taught, totals) for h in histories}
        all_ = math.log(1 + sum(pulls.values()))
        return {
            h.skill: fmean([abs(b - a) for a, b in pairwise(h.rates)] or [0.0])
            + self.bonus * math.sqrt(all_ / pulls[h.skill])
            for h in histories
        }


def _share(taught: Sequence[int], totals: Sequence[int]) -> float:
    """Sum over rounds of the share of the round that a skill was given."""
    return sum(own / total for own, total in zip(taught, totals, strict=False) if total)
