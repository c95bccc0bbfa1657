"""TRL's trainer on packed rows: the same loss as on padded ones, for less work.

A batch of short conversations is mostly padding once its longest has set the width, so conversations lie side by side
in shared rows, each blind to its neighbours. After the last attention only positions that predict an answer matter:
the last feed-forward block and the output layer are computed for those alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from peft import PeftModel
from torch.nn.functional import cross_entropy
from trl.trainer.sft_trainer import SFTTrainer

from ..memory.talk import Question
from .callbacks import Heeding
from .wording import Wording

if TYPE_CHECKING:
    from datasets import Dataset

Example = Mapping[str, list[int]]
"""Token ids and labels of one conversation."""
IGNORED = -100
SHORT = frozenset({"llama", "mistral", "qwen2", "qwen3"})
"""Types of models whose last feed-forward block and output layer may be computed where an answer is predicted alone."""
ROOM = 2
"""Width of a packed row in lengths of the batch's longest conversation: wider rows waste less and attend to more."""


def tokenize(wording: Wording, rows: Sequence[tuple[Question, str]]) -> "Dataset":
    """Turn prompts and completions into token ids and labels, all rows at once: what TRL makes one by one.

    Args:
        wording: the student's.
        rows: question and completion.
    """
    from datasets import Dataset

    turns = wording.turns(rows)
    labels = [[IGNORED] * len(turn.prompt) + turn.answer for turn in turns]
    return Dataset.from_dict({"input_ids": [turn.prompt + turn.answer for turn in turns], "labels": labels})


class Collator:
    """Packs conversations into rows, longest first, each where it first fits."""

    def __init__(self, pad: int) -> None:
        self.pad = pad

    def __call__(self, examples: Sequence[Example]) -> dict[str, torch.Tensor]:
        """Give ids, labels, positions that begin anew with every conversation, and who may attend to whom.

        Returns:
            Tensors of rows by width; `attention_mask` of rows by 1 by width by width.
        """
        rows = _fit(sorted(examples, key=lambda e: -len(e["input_ids"])))
        width = max(sum(len(e["input_ids"]) for e in row) for row in rows)

        def table(fill: int, of: Callable[[int, Example], Iterable[int]]) -> torch.Tensor:
            flat = [[value for number, e in enumerate(row) for value in of(number, e)] for row in rows]
            return torch.tensor([values + [fill] * (width - len(values)) for values in flat])

        owner_RT = table(-1, lambda number, e: [number] * len(e["input_ids"]))
        causal_TT = torch.ones(width, width, dtype=torch.bool).tril()
        return {
            "input_ids": table(self.pad, lambda _, e: e["input_ids"]),
            "labels": table(IGNORED, lambda _, e: [IGNORED, *e["labels"][1:]]),
            "position_ids": table(0, lambda _, e: range(len(e["input_ids"]))),
            "attention_mask": ((owner_RT[:, :, None] == owner_RT[:, None, :]) & causal_TT)[:, None],
        }


def packs(model: Any) -> bool:
    """Whether a model may be trained on packed rows."""
    return str(model.config.model_type) in SHORT


class PackedTrainer(SFTTrainer):
    """TRL's trainer with the loss taken at answers only, and without a step's entropy and accuracy."""

    def __init__(self, model: Any, tokenizer: Any, **arguments: Any) -> None:
        collator: Any = Collator(tokenizer.pad_token_id)
        super().__init__(model=model, processing_class=tokenizer, data_collator=collator, **arguments)
        self.add_callback(Heeding)
        self._pad = tokenizer.pad_token_id
        self._answers = torch.empty(0, dtype=torch.long)
        self._causal: Any = model.get_base_model() if isinstance(model, PeftModel) else model
        last = self._causal.base_model.layers[-1].mlp
        last.forward = self._at_answers(last.forward)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Mean cross-entropy over the answer tokens of the optimiser step."""
        assert not return_outputs, "positions without a label have no outputs"
        labels = inputs.pop("labels")[:, 1:]
        rows, columns = (labels != IGNORED).nonzero(as_tuple=True)
        self._answers = rows * inputs["input_ids"].shape[1] + columns
        self._total_train_tokens += int((inputs["input_ids"] != self._pad).sum())
        self._metrics["train"]["num_tokens"] = [self._total_train_tokens]
        hidden_RTD = self._causal.base_model(**inputs, use_cache=False).last_hidden_state
        logits = self._causal.get_output_embeddings()(hidden_RTD.flatten(0, 1)[self._answers])
        loss = cross_entropy(logits.float(), labels[rows, columns], reduction="sum")
        return loss / (len(rows) if num_items_in_batch is None else num_items_in_batch)

    def _at_answers(self, whole: Any) -> Any:
        """Let a block that treats every position alone skip those that nothing reads afterwards."""

        def forward(hidden_RTD: torch.Tensor) -> torch.Tensor:
            flat_PD = hidden_RTD.flatten(0, 1)
            made_AD = whole(flat_PD[self._answers])
            return torch.zeros_like(flat_PD).index_copy(0, self._answers, made_AD).view_as(hidden_RTD)

        return forward


def _fit(examples: Sequence[Example]) -> list[list[Example]]:
    room = ROOM * len(examples[0]["input_ids"])
    rows: list[list[Example]] = []
    free: list[int] = []
    for example in examples:
        length = len(example["input_ids"])
        place = next((i for i, left in enumerate(free) if left >= length), len(rows))
        if place == len(rows):
            rows.append([])
            free.append(room)
        rows[place].append(example)
        free[place] -= length
    return rows
