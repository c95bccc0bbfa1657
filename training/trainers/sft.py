"""Supervised fine-tuning with TRL: conversational prompt and completion, loss on the completion.

Rows are packed instead of padded (`packed.py`).
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from .. import ranks
from ..dropping import drop
from ..trainer import read_rows
from ..tuning import Job, Tuner

PACKED = "rows are packed with the loss on their answers"


def _none(share: float) -> bool:
    """Whether a share is nothing, so that scenarios which do not use it keep their hash."""
    return share == 0


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

    def build(self, job: Job) -> Any:
        """TRL's trainer, on packed rows where the model's kind allows it and one process holds it."""
        from trl.trainer.sft_trainer import SFTTrainer

        from ..packed import PackedTrainer, packs, tokenize

        drop(job.model, self.dropout)
        dataset = tokenize(job.wording, read_rows(job.folder))
        arguments = self.arguments(job, len(dataset))
        # a packed forward pass goes past the wrapper that keeps several processes in step
        if packs(job.model) and not ranks.together():
            return PackedTrainer(job.model, job.wording.tokenizer, args=arguments, train_dataset=dataset)
        return SFTTrainer(job.model, arguments, train_dataset=dataset, processing_class=job.wording.tokenizer)
