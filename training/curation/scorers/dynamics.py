"""Learning dynamics: how sure students on the way to knowing the skill are of a sample's answer."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ....memory.errors import PartError
from ..adam import Adam, plan
from ..learner import Learner
from ..likelihood import Logs, Reader
from ..measured import Measured
from ..pool import Context, Need, Pool, Scores

if TYPE_CHECKING:
    from torch import Tensor

Whole = Literal["answer", "least", "mean"]
SHARE = 0.75
"""Share of the range of uncertainties that is the threshold where none is given, as in the source's code."""


class Dynamics(Measured):
    """Mean probability that checkpoints give an answer; less by 1 where they confidently contradict it.

    Over checkpoints e, confidence is mean p(e) and aleatoric uncertainty mean p(e)(1 − p(e)). A sample whose confidence
    is at most `unlikely` and whose uncertainty is at most `certain` is what the source discards: here all these, and
    only these, score below 0, so a threshold at 0 keeps what the source keeps and top-k discards them first. (As
    p(1 − p) is concave, a confidence of 0.2 bounds the uncertainty by 0.16: a fixed `certain` above that says nothing.)

    The source replays a classifier that is trained on verified data only. So does this where there are fewer than two
    checkpoints: the student is trained for a short while on what is known already, or else on the targets.

    Source: CLLM, Seedat et al. 2024, arXiv:2312.12112.
    """

    needs: ClassVar[frozenset[Need]] = frozenset({"student"})

    most: int = Field(default=100_000, ge=1)
    """Samples that are measured; of a larger pool the rest is fitted, for which it needs vectors."""
    over: Whole = "least"
    """Probability of an answer: of all its tokens together, of its least likely one, or their mean, which hides a wrong
    digit among right ones."""
    unlikely: float = Field(default=0.02, ge=0, le=1)
    """Confidence up to which an answer counts as contradicted; 0.2 in the source, where it is one of few classes. Of
    answers of several tokens that discards what the student has yet to learn (`benchmarks/lab/noise_curation.py`)."""
    certain: float = Field(default=0.0, ge=0, le=0.25)
    """Uncertainty up to which that is confident; 0 for 0.75 of the range in the pool, as in the source's code."""
    steps: int = Field(default=150, ge=2)
    """Steps of a replay."""
    looks: int = Field(default=10, ge=2)
    """Checkpoints that a replay gives, evenly over its steps."""
    learning_rate: float = Field(default=3e-3, gt=0, allow_inf_nan=False)
    """Of a replay, with Adam."""

    def measure(self, pool: Pool, context: Context) -> Scores:
        """Score by confidence and uncertainty."""
        return self.judge(np.stack(self._watch(pool, context)))

    def judge(self, likely_ES: NDArray[np.float64]) -> Scores:
        """Score by what checkpoints found: confidence, less 1 for what they contradict.

        Args:
            likely_ES: probability of each answer, checkpoints by samples.
        """
        confidence_S, aleatoric_S = likely_ES.mean(0), (likely_ES * (1 - likely_ES)).mean(0)
        certain = self.certain or SHARE * float(np.ptp(aleatoric_S))
        return confidence_S - ((confidence_S <= self.unlikely) & (aleatoric_S <= certain))

    def _watch(self, pool: Pool, context: Context) -> list[Scores]:
        """Probability of every answer at every checkpoint."""
        pairs = [(row.question, row.answer) for row in pool.rows]
        if len(context.checkpoints) > 1:
            readers = (Reader.open(folder, device=self.reach.device) for folder in context.checkpoints)
            return [SUMMARIES[self.over](reader.given(pairs)) for reader in readers]
        return self._replay(pool, context)

    def _replay(self, pool: Pool, context: Context) -> list[Scores]:
        assert context.student is not None
        verified = context.known or context.targets
        if not verified:
            raise PartError(
                f"{self.title} watches two or more checkpoints, or trains the student on verified samples; give "
                "checkpoints, what is known already, or targets"
            )
        learner = Learner.open(context.student, self.reach, seed=context.seed)
        reader = Reader(learner.model, learner.wording.tokenizer, learner.wording, positions=learner.wording.positions)
        turns = reader.turns([(row.question, row.answer) for row in pool.rows])
        looks = set(np.linspace(self.steps / self.looks, self.steps, self.looks).round().astype(int).tolist())
        watched: list[Scores] = []

        def look(number: int, weights_P: "Tensor") -> None:
            if number in looks:
                learner.install(weights_P)
                watched.append(SUMMARIES[self.over](reader.read(turns)))

        steps = plan(learner, verified, batch=self.batch, steps=self.steps, seed=context.seed)
        Adam(self.learning_rate).train(learner, steps, look)
        return watched


def _of_all(logs: Logs) -> Scores:
    return np.exp(logs.sums_S)


def _of_the_least(logs: Logs) -> Scores:
    return np.exp(np.minimum.reduceat(logs.flat_T, _starts(logs)))


def _on_average(logs: Logs) -> Scores:
    return np.add.reduceat(np.exp(logs.flat_T), _starts(logs)) / logs.lengths_S


def _starts(logs: Logs) -> NDArray[np.int64]:
    return np.cumsum(logs.lengths_S) - logs.lengths_S


SUMMARIES: Mapping[Whole, Callable[[Logs], Scores]] = {
    "answer": _of_all,
    "least": _of_the_least,
    "mean": _on_average,
}
"""Probability of answers from their tokens'."""
