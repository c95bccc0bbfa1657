"""Give to what helps other skills as well: a mix that follows the graph of who needs whom.

Weight of a skill ∝ exp(η · Σ over the last rounds and over all skills j of A[skill, j] · loss of j): what fails, and
what is needed by what fails. The graph is given, or estimated from the session's own rounds: by how much each skill
rose for each share of a round that another one was given (ridge regression, rises only, edges at most `edge`). Until
there are as many rounds as it takes, a skill helps itself alone.

Source: Chen et al. 2023, Skill-It!, arXiv:2307.14430, with 1 − pass rate for the loss; there the graph comes from
training on every pair of skills, which costs more than a session has.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...memory.errors import PartError, suggest
from ..allocator import History, Portion
from ..weighing import Weighing

Floats = NDArray[np.float64]
ROUNDS = 3
"""Changes that a graph is estimated from at least."""
RIDGE = 0.1
"""Of the regression on shares, which lie in [0, 1]: one round alone proves little."""


class Skillit(Weighing):
    """Prefer what fails, and what is needed by what fails."""

    graph: dict[str, dict[str, float]] = Field(default_factory=dict[str, dict[str, float]])
    """Which skill helps which others, and how much; empty estimates it. A skill always helps itself by 1."""
    eta: float = Field(default=0.5, gt=0, allow_inf_nan=False)
    """How sharply the mix follows the losses; the paper has 0.1 to 0.5."""
    window: int = Field(default=3, ge=1)
    """Rounds whose losses count."""
    edge: float = Field(default=0.5, ge=0, le=1)
    """Largest weight of an estimated edge."""

    def check(self, targets: Sequence[str]) -> None:
        """Refuse a graph that names a skill that is none."""
        for named in [*self.graph, *(other for helped in self.graph.values() for other in helped)]:
            if named not in targets:
                there = f"target skills: {', '.join(targets)}{suggest(named, list(targets))}"
                raise PartError(f"allocator 'skillit': graph names {named!r}, which is no target skill; {there}")

    def split(self, histories: Sequence[History], budget: int, *, replay: int, skills: int) -> Mapping[str, Portion]:
        """Floor for all, the rest by weight, capped.

        Raises:
            PartError: the graph names a skill that is none, which only shows here where skills are discovered.
        """
        self.check(sorted(h.skill for h in histories))
        return super().split(histories, budget, replay=replay, skills=skills)

    def weigh(self, histories: Sequence[History]) -> Mapping[str, float]:
        """Weight exp(η Σ A·loss)."""
        losses_RK = np.array([[1 - rate for rate in h.rates[-self.window :]] for h in histories]).T
        drive = self._edges(histories) @ losses_RK.sum(axis=0)
        # only differences matter, and a large η must not overflow
        return {h.skill: math.exp(self.eta * (d - drive.max())) for h, d in zip(histories, drive, strict=True)}

    def _edges(self, histories: Sequence[History]) -> Floats:
        """A[i, j]: how much skill i helps skill j."""
        names = [h.skill for h in histories]
        if self.graph:
            edges = np.array([[self.graph.get(i, {}).get(j, 0.0) for j in names] for i in names])
        else:
            edges = estimate(histories, most=self.edge)
        np.fill_diagonal(edges, 1.0)
        return edges


def estimate(histories: Sequence[History], *, most: float) -> Floats:
    """Give how much a share for one skill raised another, the largest effect as `most`; zeros while that is unknown."""
    rates_RK = np.array([h.rates for h in histories]).T
    taught_RK = np.array([h.taught for h in histories], dtype=np.float64).T
    none = np.zeros((len(histories), len(histories)))
    if len(taught_RK) < ROUNDS:
        return none
    shares_RK = taught_RK / np.maximum(1.0, taught_RK.sum(axis=1, keepdims=True))
    centred_RK = shares_RK - shares_RK.mean(axis=0)
    rises_RK = np.diff(rates_RK, axis=0)
    gram = centred_RK.T @ centred_RK + RIDGE * np.eye(len(histories))
    effects = np.maximum(0.0, np.linalg.solve(gram, centred_RK.T @ (rises_RK - rises_RK.mean(axis=0))))
    np.fill_diagonal(effects, 0.0)
    return effects * (most / effects.max()) if effects.max() > 0 else none
