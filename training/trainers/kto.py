"""Kahneman-Tversky optimisation with TRL: right answers are desirable, the student's own wrong ones are not.

Unlike pairs, this also learns from tasks whose answer was cut. There is a right answer to every task and a wrong one to
some, and all weigh the same: with few wrong ones made to weigh as much as all right ones, students got worse.

Source: Ethayarajh et al. 2024, https://arxiv.org/abs/2402.01306.
"""

from collections.abc import Mapping
from random import Random
from typing import Any, ClassVar

from pydantic import Field

from ...memory.talk import Question, reply, tools_of
from .. import checkpoint
from ..trainer import read_rows
from ..tries import read_tries
from ..tuning import MIXED, Job, Tuner, unheard
from ..wording import Wording

ADVICE = "different amounts of desirable"


class Kto(Tuner):
    """TRL's KTOTrainer on right and wrong answers."""

    config: ClassVar[str] = "trl.trainer.kto_config:KTOConfig"
    fixed: ClassVar[Mapping[str, str]] = {
        "beta": "it is the trainer's setting 'beta'",
        "train_sampling_strategy": "the rows are shuffled already, and neighbours estimate the divergence",
    }
    tries: ClassVar[bool] = True
    sequences: ClassVar[int] = 2
    refers: ClassVar[bool] = True

    learning_rate: float = Field(default=1e-3, gt=0, allow_inf_nan=False)
    """Peak of a linear decay after warm-up."""
    batch: int = Field(default=64, ge=2)
    """Rows per optimiser step; the divergence is estimated within a batch, so one is not enough."""
    beta: float = Field(default=0.1, gt=0, allow_inf_nan=False)
    """How closely the student stays with the one it started as; larger is closer."""

    @property
    def rows_each(self) -> int:
        """A right answer and perhaps a wrong one."""
        return 2

    def own(self) -> Mapping[str, Any]:
        """The weight of staying close."""
        return {**super().own(), "beta": self.beta}

    def build(self, job: Job) -> Any:
        """TRL's trainer on the answers, with the student as it starts for reference."""
        from datasets import Dataset
        from trl.trainer.kto_trainer import KTOTrainer

        right = [_row(job.wording, question, answer, good=True) for question, answer in read_rows(job.folder)]
        wrong = [
            _row(job.wording, one.question, one.answer, good=False) for one in read_tries(job.folder) if not one.passed
        ]
        rows = [*right, *wrong]
        Random(job.seed).shuffle(rows)
        with unheard("trl.trainer.kto_trainer", ADVICE):
            return KTOTrainer(
                model=job.model,
                ref_model=None if self.adapts else checkpoint.load(job.start)[0],
                args=self.arguments(job, len(rows)),
                train_dataset=Dataset.from_list(rows, on_mixed_types=MIXED),
                processing_class=job.wording.tokenizer,
            )


def _row(wording: Wording, question: Question, answer: str, *, good: bool) -> dict[str, Any]:
    return {
        **wording.opening(question),
        "completion": [reply(answer, tools_of(question))],
        "label": good,
    }
