"""Kahneman-Tversky optimisation with TRL: right answers are desirable, the student's own wrong ones are not.

Unlike pairs, this also learns from tasks whose answer was cut. There is a right answer to every task and a wrong one to
some, and all weigh the same: with few wrong ones made to weigh as much as all right ones, students got worse.

Neighbours estimate the divergence, so an answer must not lie beside another to the same task. Rows are mixed once for
all passes; where their order is to be kept, a wrong answer goes with the right one, and rows are mixed within a step.

Source: Ethayarajh et al. 2024, https://arxiv.org/abs/2402.01306.
"""

from collections.abc import Mapping
from random import Random
from typing import Any, ClassVar

from pydantic import Field

from ...memory.talk import Question, reply, tools_of
from .. import checkpoint
from ..trainer import is_ordered, read_ids, read_rows
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
    sequences: ClassVar[int] = 2
    refers: ClassVar[bool] = True

    learning_rate: float = Field(default=1e-3, gt=0, allow_inf_nan=False)
    """Peak of a linear decay after warm-up."""
    batch: int = Field(default=64, ge=2)
    """Rows per optimiser step; the divergence is estimated within a batch, so one is not enough."""
    beta: float = Field(default=0.1, gt=0, allow_inf_nan=False)
    """How closely the student stays with the one it started as; larger is closer."""

    @property
    def draws(self) -> int:
        """What the student says to every task, right or wrong."""
        return 1

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

        rows = self._rows(job)
        with unheard("trl.trainer.kto_trainer", ADVICE):
            return KTOTrainer(
                model=job.model,
                ref_model=None if self.adapts else checkpoint.load(job.start)[0],
                args=self.arguments(job, len(rows)),
                train_dataset=Dataset.from_list(rows, on_mixed_types=MIXED),
                processing_class=job.wording.tokenizer,
            )

    def _rows(self, job: Job) -> list[dict[str, Any]]:
        right = [_row(job.wording, question, answer, good=True) for question, answer in read_rows(job.folder)]
        tries = [one for one in read_tries(job.folder) if not one.passed]
        wrong = [_row(job.wording, one.question, one.answer, good=False) for one in tries]
        rng = Random(job.seed)
        if not is_ordered(job.folder):
            rows = [*right, *wrong]
            rng.shuffle(rows)
            return rows
        beside = {one.sample: row for one, row in zip(tries, wrong, strict=True)}
        pairs = zip(read_ids(job.folder), right, strict=True)
        rows = [row for id, own in pairs for row in (own, *([beside[id]] if id in beside else []))]
        steps = [rows[start : start + self.batch] for start in range(0, len(rows), self.batch)]
        for step in steps:
            rng.shuffle(step)
        return [row for step in steps for row in step]


def _row(wording: Wording, question: Question, answer: str, *, good: bool) -> dict[str, Any]:
    return {
        **wording.opening(question),
        "completion": [reply(answer, tools_of(question))],
        "label": good,
    }
