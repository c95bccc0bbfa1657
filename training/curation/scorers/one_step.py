"""One-step influence: train on a sample once and see what the targets' loss does."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from ..extrapolation import draw
from ..gradients import each, moments, rows_at_once
from ..learner import TOKENS, Batch, Learner
from ..measured import Measured
from ..pool import Context, Pool, Scores

if TYPE_CHECKING:
    from torch import Tensor


class OneStep(Measured):
    """By how much one optimiser step on a sample alone lowers the mean loss of the targets, in nats per token.

    Every sample starts from the same weights and the same memory of Adam, which is estimated as a checkpoint keeps
    none. A step is taken and examined for many samples at once, each with its own weights; `exact = false` multiplies
    the step with the targets' gradient instead, which is what a small enough step would do.

    Source: MATES, Yu et al. 2024, arXiv:2406.06046; Montessori-Instruct, Li et al. 2024, arXiv:2410.14208.
    """

    exact: bool = True
    """Take the step; else only what it would do to first order, at the price of the gradients alone."""
    references: int = Field(default=64, ge=1)
    """Targets that are examined after each step, 256 in Montessori-Instruct; drawn where there are more."""
    optimizer: Literal["adam", "sgd"] = "adam"
    """Whose step it is."""
    learning_rate: float = Field(default=3e-4, gt=0, allow_inf_nan=False)
    """Length of the step. At the peak rate of a training the part that Adam remembers, the same for all samples,
    carries a student so far off that what a sample adds to it is lost."""
    memory: int = Field(default=16, ge=1)
    """Batches from which Adam's memory is estimated."""

    def measure(self, pool: Pool, context: Context) -> Scores:
        """Score by what is gained."""
        assert context.student is not None
        assert context.targets is not None
        learner = Learner.open(context.student, self.reach, seed=context.seed)
        targets = context.targets.take(draw(context.targets, self.references, seed=context.seed))
        references = learner.batches(targets, self.batch)
        step = self._step(learner, pool, context)
        gain = (self._gain if self.exact else self._expected)(learner, references)
        gains_S = np.empty(len(pool))
        for places, gradients_SP in each(
            learner, learner.start_P, learner.batches(pool, rows_at_once(learner, self.batch))
        ):
            gains_S[places] = gain(step(gradients_SP)).double().cpu().numpy()
        return gains_S

    def _step(self, learner: Learner, pool: Pool, context: Context) -> "Callable[[Tensor], Tensor]":
        """Give what turns gradients into what is taken off the weights."""
        if self.optimizer == "sgd":
            return lambda gradients_SP: self.learning_rate * gradients_SP
        trained = context.known if context.known else pool
        memory = moments(learner, learner.start_P, trained, batch=self.batch, batches=self.memory, seed=context.seed)
        return lambda gradients_SP: self.learning_rate * memory.update(gradients_SP)

    def _gain(self, learner: Learner, references: Sequence[Batch]) -> "Callable[[Tensor], Tensor]":
        import torch
        from torch.func import vmap

        with torch.no_grad():
            before = learner.loss(learner.start_P, references)
        together = max(1, TOKENS // max(batch.ids_ST.numel() for batch in references))

        def examine(weights_P: "Tensor") -> "Tensor":
            return learner.loss(weights_P, references)

        def gain(steps_SP: "Tensor") -> "Tensor":
            with torch.no_grad():
                return before - vmap(examine, chunk_size=together)(learner.start_P - steps_SP)

        return gain

    def _expected(self, learner: Learner, references: Sequence[Batch]) -> "Callable[[Tensor], Tensor]":
        goal_P = learner.gradient(learner.start_P, references)
        return lambda steps_SP: steps_SP @ goal_P
