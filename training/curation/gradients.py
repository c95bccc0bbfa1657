"""What a sample pushes a student towards: gradients by sample, what Adam makes of them, and their projections."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...memory.stopping import STOP
from .learner import Batch, Learner
from .pool import Pool

if TYPE_CHECKING:
    from torch import Tensor

NUMBERS = 1 << 22
"""Numbers of the gradients that are held at once, 16 MiB of them: what is larger than 32 MiB comes fresh from the
system for every operation, and having its pages cleared took longer than to compute with it."""
MEAN_DECAY, SQUARE_DECAY, FLOOR = 0.9, 0.999, 1e-8
"""Adam's β₁, β₂ and ε (arXiv:1412.6980)."""


@dataclass(frozen=True, slots=True)
class Moments:
    """What Adam remembers of the gradients so far."""

    mean_P: "Tensor"
    square_P: "Tensor"

    def update(self, gradients_SP: "Tensor") -> "Tensor":
        """Give the direction of the optimiser's next step for each sample alone, which the weights move against.

        Source: LESS (arXiv:2402.04333), equation for Γ; both moments take the sample in, without a correction for
        their start, which a long training has left behind.
        """
        mean_SP = MEAN_DECAY * self.mean_P + (1 - MEAN_DECAY) * gradients_SP
        square_SP = SQUARE_DECAY * self.square_P + (1 - SQUARE_DECAY) * gradients_SP**2
        return mean_SP / (square_SP.sqrt() + FLOOR)


def moments(learner: Learner, weights_P: "Tensor", pool: Pool, *, batch: int, batches: int, seed: int) -> Moments:
    """Estimate Adam's memory at these weights, since checkpoints keep none.

    It is the mean of the gradients of batches and of their squares, which is what the running means tend to where
    the weights no longer move much.

    Args:
        learner: the student.
        weights_P: where.
        pool: what it was trained on, or like that.
        batch: samples of a batch.
        batches: how many.
        seed: draws them.
    """
    import torch

    rng = np.random.default_rng(seed)
    by_id = np.argsort(np.array(pool.ids, dtype=np.str_), kind="stable")
    mean_P, square_P = torch.zeros_like(weights_P), torch.zeros_like(weights_P)
    for _ in range(batches):
        drawn = pool.take(by_id[rng.integers(len(pool), size=batch)])
        gradient_P = learner.gradient(weights_P, learner.batches(drawn, batch))
        mean_P += gradient_P / batches
        square_P += gradient_P**2 / batches
    return Moments(mean_P, square_P)


def rows_at_once(learner: Learner, wanted: int) -> int:
    """Samples whose gradients are held at once."""
    return max(1, min(wanted, NUMBERS // max(1, len(learner.start_P))))


def each(learner: Learner, weights_P: "Tensor", batches: Sequence[Batch]) -> "Iterator[tuple[list[int], Tensor]]":
    """Give the places of some samples with their gradients, batch by batch."""
    for batch in batches:
        STOP.heed()
        yield batch.places, learner.gradients(weights_P, batch)


def by_skill(pool: Pool) -> Mapping[str, Pool]:
    """Part a pool by skill, each sorted by id."""
    places: dict[str, list[int]] = {}
    for place in np.argsort(np.array(pool.ids, dtype=np.str_), kind="stable").tolist():
        places.setdefault(pool.rows[place].skill, []).append(place)
    return {skill: pool.take(own) for skill, own in sorted(places.items())}


def unit(gradients_SP: "Tensor") -> "Tensor":
    """Rows of length 1; a row of zeros stays."""
    import torch

    tiny = torch.finfo(gradients_SP.dtype).tiny
    return gradients_SP / gradients_SP.norm(dim=-1, keepdim=True).clamp_min(tiny)


class Sketch:
    """A random projection that keeps inner products on average: every number is added to one of few sums, or taken off.

    It costs one addition for each number, where the dense matrix of LESS costs one for each number and dimension.

    Source: count sketch, Charikar, Chen and Farach-Colton 2002; as features Weinberger et al. 2009, arXiv:0902.2206.
    """

    def __init__(self, numbers: int, dimensions: int, *, seed: int, device: str) -> None:
        import torch

        source = torch.Generator().manual_seed(seed)
        self.dimensions = dimensions
        self._bins_P = torch.randint(dimensions, (numbers,), generator=source).to(device)
        self._signs_P = (torch.randint(2, (numbers,), generator=source) * 2 - 1).to(device)

    def project(self, gradients_SP: "Tensor") -> "Tensor":
        """Give rows of few numbers for rows of many."""
        made_SD = gradients_SP.new_zeros(len(gradients_SP), self.dimensions)
        return made_SD.index_add_(1, self._bins_P, gradients_SP * self._signs_P)
