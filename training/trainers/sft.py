"""Supervised fine-tuning with TRL: conversational prompt and completion, loss on the completion.

Rows are packed instead of padded (`packed.py`).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, field_validator

from ...memory.errors import PartError
from ...memory.talk import Question
from .. import ranks
from ..dropping import drop
from ..manner import Manner
from ..trainer import read_ids, read_rows
from ..tries import own_answers, read_tries
from ..tuning import Job, Tuner

PACKED = "rows are packed with the loss on their answers"


def _none(setting: float) -> bool:
    """Whether a setting is nothing, so that scenarios which do not use it keep their hash."""
    return setting == 0


class Sft(Tuner):
    """TRL's SFTTrainer with settings for short rows."""

    config: ClassVar[str] = "trl.trainer.sft_config:SFTConfig"
    fixed: ClassVar[Mapping[str, str]] = dict.fromkeys(
        (
            "packing",
            "packing_strategy",
            "padding_free",
            "pad_to_multiple_of",
            "pad_token",
            "eval_packing",
            "completion_only_loss",
            "assistant_only_loss",
            "loss_type",
            "label_smoothing_factor",
            "dataset_text_field",
            "dataset_kwargs",
            "chat_template_path",
            "eos_token",
            "router_aux_loss_coef",
            "use_liger_kernel",
        ),
        PACKED,
    )

    dropout: float = Field(default=0.0, ge=0, lt=1, exclude_if=_none)
    """Share of attention weights and of what blocks add that is dropped in training; for data that comes by often."""

    rehearse: int = Field(default=0, ge=0, le=100, exclude_if=_none)
    """Answers to every sample that are drawn from the student it starts from, two at least; its right ones are trained
    on beside the sample, each wording once, with as many steps. Pays where answers hold reasoning, of which there are
    many right ones (rejection sampling: Zelikman et al. 2022, arXiv:2203.14465; Yuan et al. 2023, arXiv:2308.01825)."""

    @field_validator("rehearse")
    @classmethod
    def _several(cls, rehearse: int) -> int:
        if rehearse == 1:
            raise ValueError("one answer is always the same greedy one; draw at least 2, or 0 for none")
        return rehearse

    @property
    def draws(self) -> int:
        """Answers that its own right ones are taken from."""
        return self.rehearse

    def require(self, start: Path) -> None:
        """Refuse to train a student on its own answers where they lack the reasoning that leads to them.

        Raises:
            PartError: its reasoning is told apart from what it answers.
        """
        if self.rehearse and Manner.read(start).reasoning is not None:
            raise PartError(
                f"{start}: trainer.rehearse = {self.rehearse} would teach answers without the reasoning before them, "
                "which this student tells apart; leave trainer.rehearse or student.reasoning away"
            )

    def build(self, job: Job) -> Any:
        """TRL's trainer, on packed rows where the model's kind allows it and one process holds it."""
        from trl.trainer.sft_trainer import SFTTrainer

        from ..packed import PackedTrainer, packs, tokenize

        drop(job.model, self.dropout)
        rows = read_rows(job.folder)
        arguments = self.arguments(job, len(rows))
        dataset = tokenize(job.wording, _with_own(job.folder, rows) if self.rehearse else rows)
        # a packed forward pass goes past the wrapper that keeps several processes in step
        if packs(job.model) and not ranks.together():
            return PackedTrainer(job.model, job.wording.tokenizer, args=arguments, train_dataset=dataset)
        return SFTTrainer(job.model, arguments, train_dataset=dataset, processing_class=job.wording.tokenizer)


def _with_own(folder: Path, rows: Sequence[tuple[Question, str]]) -> list[tuple[Question, str]]:
    """Rows with the student's own right answers behind each."""
    own = own_answers(read_tries(folder))
    return [
        (question, said)
        for id, (question, answer) in zip(read_ids(folder), rows, strict=True)
        for said in (answer, *own.get(id, ()))
    ]
