"""TRL's distillation trainer, which also counts what the student wrote itself."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..memory.talk import Question
from .packed import IGNORED, tokenize
from .wording import Wording

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="You are importing from 'trl.experimental'")
    from trl.experimental.gkd.gkd_trainer import GKDTrainer

if TYPE_CHECKING:
    from datasets import Dataset


class DistillingTrainer(GKDTrainer):
    """TRL's trainer with the tokens of every batch counted as they are trained on."""

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Divergence of student and teacher over the answer tokens of the optimiser step."""
        self._total_train_tokens += int(inputs["attention_mask"].sum())
        self._metrics["train"]["num_tokens"] = [self._total_train_tokens]
        return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)


def tokenize_whole(wording: Wording, rows: Sequence[tuple[Question, str]]) -> "Dataset":
    """Turn prompts and completions into what TRL's collator takes as it is: token ids, and where the answer begins.

    Args:
        wording: the student's.
        rows: question and completion.
    """
    from datasets import Dataset

    made = tokenize(wording, rows)
    return Dataset.from_dict(
        {
            # the collator wants a text, and does not read it where there are ids
            "prompt": [""] * len(rows),
            "input_ids": made["input_ids"],
            "completion_mask": [[int(label != IGNORED) for label in labels] for labels in made["labels"]],
        }
    )
