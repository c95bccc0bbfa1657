"""Learnability and quality of a sample, by optimal control of a short training."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import Field

from ....memory.stopping import STOP
from ..extrapolation import draw
from ..gradients import each, rows_at_once, unit
from ..learner import Batch, Learner
from ..measured import Measured
from ..pool import Context, Pool, Scores

if TYPE_CHECKING:
    from torch import Tensor


class Delt(Measured):
    """Learnability–quality score: how a sample's gradient fades while training, times how well it serves the targets.

    A short training on the pool is followed forwards, θ(t+1) = θ(t) − η∇L(θ(t)), and then backwards with what a change
    of the weights would do to the targets' loss J summed over the rest of the way:
    λ(t) = λ(t+1) + ∇J(θ(t)) − ηH(t)λ(t+1), λ(T) = ∇J(θ(T)), H the Hessian of the step's own batch. Every `stride`
    steps a sample gets η‖λ(t+1)‖ · ‖g(t)‖/‖g(before)‖ · cos(g(t), λ(t+1)), before being the visit before; these are
    summed. In the source the first visit has no ratio, here it is 1, and the ratio of a sample that was learned long
    ago, both of whose gradients are next to nothing, is whatever chance makes it; so `floor` is added to both.

    Source: DELT, 2025, arXiv:2506.21545, as its published code has it; the recursion is that of data selection by
    Pontryagin's maximum principle, arXiv:2410.07064.
    """

    steps: int = Field(default=100, ge=1)
    """Steps of the short training."""
    stride: int = Field(default=10, ge=1)
    """Steps from one visit of all samples to the next."""
    rows: int = Field(default=16, ge=1)
    """Samples of one step."""
    learning_rate: float = Field(default=0.05, gt=0, allow_inf_nan=False)
    """Of plain gradient descent; 0.008 for the 160M parameters of the source, which moves a small student nowhere."""
    references: int = Field(default=64, ge=1)
    """Targets whose loss counts; drawn where there are more."""
    floor: float = Field(default=0.01, ge=0, allow_inf_nan=False)
    """What both norms of the ratio are lifted by, in medians of the pool's norms at the first visit."""

    def measure(self, pool: Pool, context: Context) -> Scores:
        """Score by learnability and quality."""
        assert context.student is not None
        assert context.targets is not None
        learner = Learner.open(context.student, self.reach, seed=context.seed)
        targets = context.targets.take(draw(context.targets, self.references, seed=context.seed))
        goals = learner.batches(targets, self.batch)
        way, batches = self._follow(learner, pool, seed=context.seed)
        duals = self._back(learner, way, batches, goals)
        samples = learner.batches(pool, rows_at_once(learner, self.batch))
        visits = [_visit(learner, way[t], dual_P, samples) for t, dual_P in sorted(duals.items())]
        lengths = [float(dual_P.norm()) for _, dual_P in sorted(duals.items())]
        lift = self.floor * float(np.median(visits[0].norms_S))
        scores_S, before_S = np.zeros(len(pool)), visits[0].norms_S
        for length, (norms_S, cosines_S) in zip(lengths, visits, strict=True):
            scores_S += self.learning_rate * length * _ratio(norms_S + lift, before_S + lift) * cosines_S
            before_S = norms_S
        return scores_S

    def _follow(self, learner: Learner, pool: Pool, *, seed: int) -> "tuple[list[Tensor], list[list[Batch]]]":
        """Train for a short while; give the weights before each step and after the last, and what each step saw."""
        rng = np.random.default_rng(seed)
        way, batches = [learner.start_P], []
        for _ in range(self.steps):
            drawn = pool.take(rng.choice(len(pool), min(self.rows, len(pool)), replace=False))
            batches.append(learner.batches(drawn, self.batch))
            STOP.heed()
            way.append(way[-1] - self.learning_rate * learner.gradient(way[-1], batches[-1]))
        return way, batches

    def _back(
        self, learner: Learner, way: "Sequence[Tensor]", batches: Sequence[list[Batch]], goals: list[Batch]
    ) -> "dict[int, Tensor]":
        """Give λ(t+1) for every visit t."""
        dual_P = learner.gradient(way[-1], goals)
        duals: dict[int, Tensor] = {}
        for t in reversed(range(self.steps)):
            STOP.heed()
            if t % self.stride == 0:
                duals[t] = dual_P
            bent_P = learner.curvature(way[t], batches[t], dual_P)
            dual_P = dual_P + learner.gradient(way[t], goals) - self.learning_rate * bent_P
        return duals


class Visit(NamedTuple):
    """What all samples ask for at one place of the way."""

    norms_S: Scores
    """Lengths of their gradients."""
    cosines_S: Scores
    """With λ."""


def _visit(learner: Learner, weights_P: "Tensor", dual_P: "Tensor", samples: Sequence[Batch]) -> Visit:
    count = sum(len(batch.places) for batch in samples)
    visit = Visit(np.empty(count), np.empty(count))
    towards_P = unit(dual_P)
    for places, gradients_SP in each(learner, weights_P, samples):
        visit.norms_S[places] = gradients_SP.norm(dim=1).cpu().numpy()
        visit.cosines_S[places] = (unit(gradients_SP) @ towards_P).cpu().numpy()
    return visit


def _ratio(norms_S: Scores, before_S: Scores) -> Scores:
    """Norms by what they were; 1 where they were nothing."""
    return np.divide(norms_S, before_S, out=np.ones_like(norms_S), where=before_S > 0)
