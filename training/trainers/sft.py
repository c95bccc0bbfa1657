"""Supervised fine-tuning with TRL: conversational prompt and completion, loss on the completion.

Rows are packed instead of padded (`packed.py`).
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from .. import ranks
from ..trainer import read_rows
from ..tuning import Job, Tuner

PACKED = "rows are packed with the loss on their answers"


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

    def build(self, job: Job) -> Any:
        """TRL's trainer on packed rows; on padded ones where the model lies in several processes."""
        from ..packed import PackedTrainer, tokenize

        if ranks.together():
            return self._padded(job)
        dataset = tokenize(job.tokenizer, read_rows(job.folder))
        arguments = self.arguments(job, len(dataset))
        return PackedTrainer(job.model, job.tokenizer, args=arguments, train_dataset=dataset)

    def _padded(self, job: Job) -> Any:
        """TRL's trainer as it is: a packed forward pass goes past the wrapper that keeps processes in step."""
        from datasets import Dataset
        from trl.trainer.sft_trainer import SFTTrainer

        rows = [
            {"prompt": [{"role": "user", "content": p}], "completion": [{"role": "assistant", "content": a}]}
            for p, a in read_rows(job.folder)
        ]
        return SFTTrainer(
            model=job.model,
            args=self.arguments(job, len(rows)),
            train_dataset=Dataset.from_list(rows),
            processing_class=job.tokenizer,
        )
