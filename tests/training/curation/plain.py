"""Students the plain way, one sample at a time, to compare what is done for many at once with."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evolvent.training import checkpoint
from evolvent.training.curation.pool import Pool, Row
from evolvent.training.wording import Wording

if TYPE_CHECKING:
    from torch import Tensor


class Plain:
    """A student whose losses and gradients are taken with `backward`, without padding."""

    def __init__(self, folder: Path) -> None:
        import torch

        torch.set_num_threads(1)
        loaded: tuple[Any, Any] = checkpoint.load(folder, exact=True)
        self.model, tokenizer = loaded
        self.model.eval()
        self.wording = Wording.read(folder, tokenizer=tokenizer)

    @property
    def weights(self) -> "list[Tensor]":
        """What is trained, in the model's order."""
        return [p for p in self.model.parameters() if p.requires_grad]

    def loss(self, row: Row) -> "Tensor":
        """Mean negative log-probability of the answer's tokens."""
        import torch

        (turn,) = self.wording.turns([(row.question, row.answer)])
        logits_TV = self.model(input_ids=torch.tensor([turn.prompt + turn.answer])).logits[0]
        return torch.nn.functional.cross_entropy(
            logits_TV[len(turn.prompt) - 1 : -1], torch.tensor(turn.answer), reduction="mean"
        )

    def mean_loss(self, rows: Sequence[Row]) -> "Tensor":
        """Mean of the rows' losses."""
        import torch

        return torch.stack([self.loss(row) for row in rows]).mean()

    def gradient(self, rows: Sequence[Row]) -> "Tensor":
        """Gradient of the mean loss, as one vector."""
        import torch

        self.model.zero_grad()
        self.mean_loss(rows).backward()
        return torch.cat([_slope(p).reshape(-1) for p in self.weights])

    def move(self, step_P: "Tensor") -> None:
        """Take a step off the weights."""
        at = 0
        for p in self.weights:
            p.data -= step_P[at : at + p.numel()].view_as(p)
            at += p.numel()


def _slope(weight: "Tensor") -> "Tensor":
    return weight.new_zeros(weight.shape) if weight.grad is None else weight.grad.clone()


def by_id(pool: Pool) -> list[Row]:
    """Rows in the order of their ids."""
    return sorted(pool.rows, key=lambda row: row.id)
