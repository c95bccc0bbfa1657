"""Short trainings inside curation: Adam on the weights of one student, or of many that see the same batches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...memory.stopping import STOP
from .gradients import FLOOR, MEAN_DECAY, SQUARE_DECAY
from .learner import Batch, Learner
from .pool import Pool

if TYPE_CHECKING:
    from torch import Tensor


def plan(learner: Learner, pool: Pool, *, batch: int, steps: int, seed: int) -> list[list[Batch]]:
    """Give what each step sees: the pool, sorted by id, in a new order for every pass.

    Args:
        learner: turns it into tokens.
        pool: at least one sample.
        batch: samples a step; a pass ends with what is left over.
        steps: how many.
        seed: mixes.

    Returns:
        For each step its batches, whose places are those in the pool.
    """
    rng = np.random.default_rng(seed)
    made: list[list[Batch]] = []
    while len(made) < steps:
        order = rng.permutation(len(pool))
        for at in range(0, len(pool), batch):
            made.append(_placed(learner, pool, order[at : at + batch].tolist()))
    return made[:steps]


def _placed(learner: Learner, pool: Pool, places: Sequence[int]) -> list[Batch]:
    parts = learner.batches(pool.take(places), len(places))
    return [Batch([places[i] for i in part.places], part.ids_ST, part.labels_ST, part.since) for part in parts]


@dataclass(frozen=True, slots=True)
class Adam:
    """Adam without weight decay at a constant rate (arXiv:1412.6980)."""

    learning_rate: float

    def train(
        self, learner: Learner, steps: Sequence[list[Batch]], seen: "Callable[[int, Tensor], None] | None" = None
    ) -> "Tensor":
        """Train once on everything a plan holds.

        Args:
            learner: where it starts.
            steps: what each step sees.
            seen: told the number of steps taken and the weights after each.

        Returns:
            The weights.
        """
        import torch

        present_1S = torch.ones(1, 1 + max((place for step in steps for b in step for place in b.places), default=0))
        return self.train_many(learner, steps, present_1S, seen)[0]

    def train_many(
        self,
        learner: Learner,
        steps: Sequence[list[Batch]],
        present_RS: "Tensor",
        seen: "Callable[[int, Tensor], None] | None" = None,
    ) -> "Tensor":
        """Train a student for every row of who is present, on the same plan; who is absent is skipped.

        A step's loss is the mean over those of its samples that are present; one without any is not taken.

        Args:
            learner: where all of them start.
            steps: what each step sees.
            present_RS: 1 where a run trains on a sample, else 0; runs by samples.
            seen: as in `train`, for one run.

        Returns:
            Runs by numbers.
        """
        import torch
        from torch.func import grad, vmap

        present_RS = present_RS.to(learner.start_P)
        weights_RP = learner.start_P.expand(len(present_RS), -1).clone()
        mean_RP, square_RP = torch.zeros_like(weights_RP), torch.zeros_like(weights_RP)
        taken_R1 = present_RS.new_zeros(len(present_RS), 1)

        def push(weights_P: "Tensor", present_S: "Tensor", batch: Batch) -> "Tensor":
            return (learner.losses(weights_P, batch) * present_S[batch.places]).sum()

        for number, step in enumerate(steps, start=1):
            STOP.heed()
            places = [place for batch in step for place in batch.places]
            count_R1 = present_RS[:, places].sum(1, keepdim=True)
            parts = [vmap(grad(push), in_dims=(0, 0, None))(weights_RP, present_RS, batch) for batch in step]
            gradient_RP = torch.stack(parts).sum(0) / count_R1.clamp_min(1)
            moves_R1 = count_R1 > 0
            taken_R1 = taken_R1 + moves_R1
            mean_RP = torch.where(moves_R1, MEAN_DECAY * mean_RP + (1 - MEAN_DECAY) * gradient_RP, mean_RP)
            square_RP = torch.where(moves_R1, SQUARE_DECAY * square_RP + (1 - SQUARE_DECAY) * gradient_RP**2, square_RP)
            since_R1 = taken_R1.clamp_min(1)
            mean_hat_RP = mean_RP / (1 - MEAN_DECAY**since_R1)
            root_RP = (square_RP / (1 - SQUARE_DECAY**since_R1)).sqrt()
            weights_RP = torch.where(
                moves_R1, weights_RP - self.learning_rate * mean_hat_RP / (root_RP + FLOOR), weights_RP
            )
            if seen:
                seen(number, weights_RP[0])
        return weights_RP
