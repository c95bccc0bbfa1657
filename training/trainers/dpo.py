"""Direct preference optimisation with TRL: the right answer is preferred to the student's own wrong one.

A task that the student solves is paired with what it said to another task: trained on mistakes alone it forgets what it
knew. The preference alone may lower both answers as long as the wrong one falls further, so the likelihood of the right
one is part of the loss, as in iterative reasoning preference optimisation.

Source: Rafailov et al. 2023, https://arxiv.org/abs/2305.18290; Pang et al. 2024, https://arxiv.org/abs/2404.19733.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from ...memory.errors import EvolventError
from ...memory.talk import Question, reply, tools_of
from .. import checkpoint
from ..tries import TRIES, read_tries
from ..tuning import MIXED, Job, Tuner


class Dpo(Tuner):
    """TRL's DPOTrainer on pairs of a right and a wrong answer."""

    config: ClassVar[str] = "trl.trainer.dpo_config:DPOConfig"
    fixed: ClassVar[Mapping[str, str]] = {
        "beta": "it is the trainer's setting 'beta'",
        "loss_type": "the trainer's setting 'anchor' weighs the two parts of the loss",
        "loss_weights": "the trainer's setting 'anchor' weighs the two parts of the loss",
    }
    sequences: ClassVar[int] = 2
    refers: ClassVar[bool] = True

    learning_rate: float = Field(default=1e-3, gt=0, allow_inf_nan=False)
    """Peak of a linear decay after warm-up."""
    beta: float = Field(default=0.1, gt=0, allow_inf_nan=False)
    """How closely the student stays with the one it started as; larger is closer."""
    anchor: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    """Weight of the right answer's likelihood beside the preference."""

    @property
    def draws(self) -> int:
        """What the student says to every task, right or wrong."""
        return 1

    def own(self) -> Mapping[str, Any]:
        """The two parts of the loss."""
        return {
            **super().own(),
            "beta": self.beta,
            "loss_type": ["sigmoid", "sft"],
            "loss_weights": [1.0, self.anchor],
        }

    def build(self, job: Job) -> Any:
        """TRL's trainer on the pairs, with the student as it starts for reference."""
        from datasets import Dataset
        from trl.trainer.dpo_trainer import DPOTrainer

        pairs = read_pairs(job.folder, job.wording.opening)
        return DPOTrainer(
            model=job.model,
            ref_model=None if self.adapts else checkpoint.load(job.start)[0],
            args=self.arguments(job, len(pairs)),
            train_dataset=Dataset.from_list(pairs, on_mixed_types=MIXED),
            processing_class=job.wording.tokenizer,
        )


def read_pairs(folder: Path, opening: Callable[[Question], Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Prompt, chosen and rejected answer of every task, as conversations.

    Args:
        folder: working folder of the round.
        opening: gives the columns that ask a question.

    Raises:
        EvolventError: there is no wrong answer to any.
    """
    pairs = [
        {
            **opening(one.question),
            "chosen": [reply(one.reference, tools_of(one.question))],
            "rejected": [reply(one.wrong, tools_of(one.question))],
        }
        for one in read_tries(folder)
        if one.wrong is not None
    ]
    if not pairs:
        raise EvolventError(
            f"{folder / TRIES}: no whole answer is wrong, so nothing can be preferred; train with 'sft'"
        )
    return pairs
