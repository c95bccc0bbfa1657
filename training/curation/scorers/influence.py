"""Gradient influence: does the step that a sample asks of the optimiser point where the targets' gradients do?"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ..gradients import Moments, Sketch, by_skill, each, moments, rows_at_once, unit
from ..learner import Learner
from ..measured import Measured
from ..pool import Context, Pool, Scores

if TYPE_CHECKING:
    from torch import Tensor


class Influence(Measured):
    """Sum over checkpoints of the cosine between Adam's step on a sample and a skill's gradients, for its best skill.

    For a skill it is the mean over the targets of that skill, and a target's gradient is plain. Checkpoints weigh the
    same, where the source weighs each with its learning rate, which checkpoints do not tell; without any the student
    is the only one. Neither do they keep Adam's memory: it is estimated from what is known already, or else from the
    pool. The best skill decides, so what helps one skill and harms the others still scores high.

    Source: LESS, Xia et al. 2024, arXiv:2402.04333.
    """

    latest: int = Field(default=4, ge=1)
    """Checkpoints that are looked at, as many as in the source, the last ones; each costs as much as the first."""
    preconditioned: bool = True
    """Take Adam's step on the sample instead of its gradient."""
    memory: int = Field(default=16, ge=1)
    """Batches from which Adam's memory is estimated."""
    dimensions: int = Field(default=0, ge=0)
    """Length of gradients after a random projection, 8192 in the source; 0 leaves them whole, which costs nothing more
    here, since one vector a skill is all that is kept."""

    def measure(self, pool: Pool, context: Context) -> Scores:
        """Score by the best skill."""
        assert context.student is not None
        folders = context.checkpoints[-self.latest :] or (context.student,)
        return sum((self._aligned(folder, pool, context) for folder in folders), np.zeros(1)).max(1)

    def _aligned(self, folder: Path, pool: Pool, context: Context) -> Scores:
        """Cosines at one checkpoint, samples by skills."""
        assert context.targets is not None
        learner = Learner.open(folder, self.reach, seed=context.seed)
        sketch = self._sketch(learner, seed=context.seed)
        goals_KP = self._goals(learner, context.targets, sketch)
        memory = self._memory(learner, pool, context)
        aligned_SK = np.empty((len(pool), len(goals_KP)))
        batches = learner.batches(pool, rows_at_once(learner, self.batch))
        for places, gradients_SP in each(learner, learner.start_P, batches):
            steps_SP = memory.update(gradients_SP) if memory else gradients_SP
            aligned_SK[places] = (_short(steps_SP, sketch) @ goals_KP.T).double().cpu().numpy()
        return aligned_SK

    def _goals(self, learner: Learner, targets: Pool, sketch: Sketch | None) -> "Tensor":
        """Mean direction of each skill's targets."""
        import torch

        goals: list[Tensor] = []
        for own in by_skill(targets).values():
            batches = learner.batches(own, rows_at_once(learner, self.batch))
            parts = [_short(g_SP, sketch).sum(0) for _, g_SP in each(learner, learner.start_P, batches)]
            goals.append(torch.stack(parts).sum(0) / len(own))
        return torch.stack(goals)

    def _memory(self, learner: Learner, pool: Pool, context: Context) -> Moments | None:
        if not self.preconditioned:
            return None
        trained = context.known if context.known else pool
        return moments(learner, learner.start_P, trained, batch=self.batch, batches=self.memory, seed=context.seed)

    def _sketch(self, learner: Learner, *, seed: int) -> Sketch | None:
        if not self.dimensions:
            return None
        return Sketch(len(learner.start_P), self.dimensions, seed=seed, device=learner.device)


def _short(gradients_SP: "Tensor", sketch: Sketch | None) -> "Tensor":
    """Rows of length 1, projected before where that is wanted."""
    return unit(sketch.project(gradients_SP) if sketch else gradients_SP)
