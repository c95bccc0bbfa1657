"""Give by the chance of being the skill that moves most: Thompson sampling on learning progress.

A pass rate is known only as well as it was probed, so both the last and the one before are drawn from what the probes
leave possible (a Beta each; before the first round nothing is known). A skill's weight is how often its change is
the largest. Draws follow from the histories, so that the same ledger always gives the same split.

Sources: Thompson 1933, https://doi.org/10.1093/biomet/25.3-4.285; progress as reward, and sampling it: Matiisen et al.
2017, arXiv:1707.00183.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...memory.files import digest
from ..allocator import History
from ..weighing import Weighing


class Thompson(Weighing):
    """Prefer what is probably moving."""

    draws: int = Field(default=4000, ge=100)
    """Draws that weights are counted in; their error is 1/√draws at most."""

    def weigh(self, histories: Sequence[History]) -> Mapping[str, float]:
        """Weight the share of draws in which a skill's |change| is the largest."""
        seen = [[h.skill, h.passed, h.tried, h.chance] for h in histories]
        rng = np.random.default_rng(int(digest(seen), 16))
        changes_KD = np.stack([np.abs(self._rates(h, -1, rng) - self._rates(h, -2, rng)) for h in histories])
        best = np.bincount(changes_KD.argmax(axis=0), minlength=len(histories)) / self.draws
        return {h.skill: float(share) for h, share in zip(histories, best, strict=True)}

    def _rates(self, history: History, at: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Rates that the probes of a round leave possible, corrected for chance; any where there was no such round."""
        known = len(history.tried) >= -at
        passed, tried = (history.passed[at], history.tried[at]) if known else (0, 0)
        chance = min(history.chance[at] if known else 0.0, 0.99)
        drawn = rng.beta(1 + passed, 1 + tried - passed, size=self.draws)
        return np.clip((drawn - chance) / (1 - chance), 0.0, 1.0)
