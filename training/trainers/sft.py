"""Supervised fine-tuning with TRL: conversational prompt and completion, loss on the completion.

Rows are packed instead of padded (`packed.py`).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from ...memory.errors import EvolventError, PartError
from ...memory.talk import Question
from .. import ranks
from ..dropping import drop
from ..manner import Manner
from ..trainer import read_ids, read_rows
from ..tries import agreed_answers, own_answers, read_tries, right_answers
from ..tuning import Job, Tuner

PACKED = "rows are packed with the loss on their answers"


def _none(setting: float) -> bool:
    """Whether a setting is nothing, so that scenarios which do not use it keep their hash."""
    return setting == 0


def _given(answers: str) -> bool:
    """The same for the answers that are learned."""
    return answers == "given"


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

    answers: Literal["given", "own", "agreed"] = Field(default="given", exclude_if=_given)
    """What is learned: `given` answers, beside the student's own where it rehearses; its `own` right ones alone (the
    same papers); or those its draws are `agreed` on, right or not (majority vote: Lee et al. 2025, arXiv:2502.01612).
    A sample that has none is left out."""

    @field_validator("rehearse")
    @classmethod
    def _several(cls, rehearse: int) -> int:
        if rehearse == 1:
            raise ValueError("one answer is always the same greedy one; draw at least 2, or 0 for none")
        return rehearse

    @model_validator(mode="after")
    def _has_draws(self) -> Self:
        if self.answers != "given" and not self.rehearse:
            raise ValueError(
                f"answers = {self.answers!r} learns from draws of the student; write rehearse = 4 beside it"
            )
        return self

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
        rows = self._rows(job.folder)
        # its own answers beside the given ones change what a step holds, not how many there are
        arguments = self.arguments(job, len(rows) if self.answers != "given" else len(read_ids(job.folder)))
        dataset = tokenize(job.wording, rows)
        # a packed forward pass goes past the wrapper that keeps several processes in step
        if packs(job.model) and not ranks.together():
            return PackedTrainer(job.model, job.wording.tokenizer, args=arguments, train_dataset=dataset)
        return SFTTrainer(job.model, arguments, train_dataset=dataset, processing_class=job.wording.tokenizer)

    def _rows(self, folder: Path) -> list[tuple[Question, str]]:
        """Questions with what is learned.

        Raises:
            EvolventError: the student has no answer that may be learned.
        """
        rows = read_rows(folder)
        if not self.rehearse:
            return rows
        tries = read_tries(folder)
        if self.answers == "given":
            return _beside(folder, rows, own_answers(tries), given=True)
        kept = right_answers(tries) if self.answers == "own" else agreed_answers(tries, draws=self.rehearse)
        if not kept:
            raise EvolventError(
                f"{folder}: trainer.answers = {self.answers!r}, and the student has no such answer to any of "
                f"{len(rows):,} samples; make tasks nearer to what it can, or write answers = 'given'"
            )
        return _beside(folder, rows, kept, given=False)


def _beside(
    folder: Path, rows: Sequence[tuple[Question, str]], kept: Mapping[str, Sequence[str]], *, given: bool
) -> list[tuple[Question, str]]:
    """Rows with the student's own answers behind each, or in the place of each."""
    return [
        (question, said)
        for id, (question, answer) in zip(read_ids(folder), rows, strict=True)
        for said in ((answer,) if given else ()) + tuple(kept.get(id, ()))
    ]
