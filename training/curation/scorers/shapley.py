"""Shapley values of clusters: what the student loses without those that stand for them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from ..adam import Adam, plan
from ..clusters import k_means
from ..extrapolation import draw
from ..gradients import NUMBERS
from ..learner import TOKENS, Batch, Learner
from ..measured import Measured
from ..pool import Context, Need, Pool, Scores
from ..proxies import far_apart, nearest
from ..removal import Present, removals, shares

if TYPE_CHECKING:
    from torch import Tensor


class Shapley(Measured):
    """Shapley value of a sample's cluster, in nats of the targets' loss: all of a cluster score the same.

    Vectors are clustered, those nearest to each centre stand for it, and groups of clusters are removed in random
    orders while a student is trained on what is left. All these trainings run side by side on the same batches, where
    removed samples are skipped, so that their differences are due to the data. Clusters are the resolution: a bad
    sample among good ones that look like it gets their score.

    Source: SHED, He et al. 2024, arXiv:2405.00705; 3000 clusters, one proxy each, groups of 60, 10 to 20 orders and
    LoRA trainings of a 7B model there.
    """

    needs: ClassVar[frozenset[Need]] = frozenset({"student", "targets", "vectors"})

    most: int = Field(default=1_000_000, ge=1)
    """Samples that are clustered; of a larger pool the rest is fitted."""
    clusters: int = Field(default=30, ge=1)
    """Clusters wanted."""
    proxies: int = Field(default=4, ge=1)
    """Samples that stand for a cluster."""
    group: int = Field(default=3, ge=1)
    """Clusters removed at once."""
    permutations: int = Field(default=10, ge=1)
    """Orders of removal; the error falls with their root."""
    epochs: int = Field(default=4, ge=1)
    """Passes of a training over the proxies."""
    rows: int = Field(default=32, ge=1)
    """Proxies of a training step, those removed included."""
    learning_rate: float = Field(default=1e-3, gt=0, allow_inf_nan=False)
    """Of the trainings, with Adam; a longer step unsettles a trained student more than data that is missing does."""
    references: int = Field(default=128, ge=1)
    """Targets whose loss is what counts; drawn where there are more."""

    def measure(self, pool: Pool, context: Context) -> Scores:
        """Score by cluster."""
        vectors_SD, seed = pool.vectors_SD, context.seed
        found = k_means(vectors_SD, 0, seed=seed, start_CD=far_apart(vectors_SD, self.clusters, seed=seed))
        _, of_S = np.unique(found.of_S, return_inverse=True)
        near = nearest(found, self.proxies)
        count = int(of_S.max()) + 1
        present_PQC = removals(count, permutations=self.permutations, group=self.group, seed=context.seed)
        runs_RC, run_of = np.unique(present_PQC.reshape(-1, count), axis=0, return_inverse=True)
        worths_R = self._train(pool.take(near), runs_RC[:, of_S[near]], context)
        return shares(present_PQC, worths_R[run_of].reshape(present_PQC.shape[:2]))[of_S]

    def _train(self, proxies: Pool, present_RS: Present, context: Context) -> Scores:
        """Give minus the targets' loss after a training on each set of proxies."""
        import torch
        from torch.func import vmap

        assert context.student is not None
        assert context.targets is not None
        learner = Learner.open(context.student, self.reach, seed=context.seed)
        targets = context.targets.take(draw(context.targets, self.references, seed=context.seed))
        references = learner.batches(targets, self.batch)
        steps = plan(learner, proxies, batch=self.rows, steps=self._steps(len(proxies)), seed=context.seed)
        present = torch.from_numpy(present_RS)
        together = _together(learner, [*steps, references])
        worths: list[Scores] = []

        def examine(weights_P: "Tensor") -> "Tensor":
            return learner.loss(weights_P, references)

        for part_RS in present.split(together):
            weights_RP = Adam(self.learning_rate).train_many(learner, steps, part_RS)
            with torch.no_grad():
                lost_R = vmap(examine)(weights_RP)
            worths.append(-lost_R.double().cpu().numpy())
        return np.concatenate(worths)

    def _steps(self, proxies: int) -> int:
        return self.epochs * -(-proxies // self.rows)


def _together(learner: Learner, batches: Sequence[list[Batch]]) -> int:
    """Trainings side by side: as many as leave room for their weights and for what a pass over a batch keeps."""
    widest = max(batch.ids_ST.numel() for step in batches for batch in step)
    return max(1, min(NUMBERS // len(learner.start_P), TOKENS // widest))
