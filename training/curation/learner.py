"""A student as a function of the numbers that are trained.

They are one vector, so that a gradient, a step of training and a direction are vectors as well, and `torch.func`
differentiates with respect to it: all weights of a small student, a LoRA adapter's of a larger one. Attention is the
plain kind, since the fused ones have neither second derivatives nor derivatives by sample on every device.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from ...memory.errors import PartError
from .. import checkpoint
from ..device import Device, choose
from ..lora import Lora, attach
from ..wording import Turn, Wording
from .pool import Pool

if TYPE_CHECKING:
    from torch import Tensor

IGNORED = -100
TOKENS = 1 << 14
"""Tokens of a batch at most, padding included: what a forward pass keeps grows with them."""


class Reach(BaseModel):
    """Which numbers of a student are differentiated, and where."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    whole: int = Field(default=5_000_000, ge=0)
    """Numbers of a student up to which all of them are; of a larger one a LoRA adapter's alone."""
    lora: Lora = Lora()
    """The adapter of a larger student that has none; it starts without effect, with the seed's random projection."""
    device: Device = "auto"
    """Where to compute: `auto` is a GPU where there is one."""
    threads: int = Field(default=1, ge=1)
    """CPU threads; more than one is slower for a small student on a busy machine."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Conversations as rows of tokens, padded on the right."""

    places: list[int]
    """Where in the pool they are."""
    ids_ST: "Tensor"
    labels_ST: "Tensor"
    """Token ids of the answers; `IGNORED` elsewhere."""
    since: int
    """First position that predicts a token of an answer in any row."""


class Learner:
    """Gives the loss of every answer for any weights."""

    def __init__(self, model: Any, wording: Wording, *, device: str = "cpu") -> None:
        """Take a model apart.

        Args:
            model: its trained parameters ask for a gradient; attention is eager.
            wording: how it is spoken to.
            device: where it computes.
        """
        import torch

        self.model = model.eval().to(device)
        self.wording = wording
        self.device = device
        trained = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
        self._shapes = {name: p.shape for name, p in trained.items()}
        self._sizes = [p.numel() for p in trained.values()]
        self.start_P = torch.cat([p.detach().float().reshape(-1) for p in trained.values()])
        """The weights as they are."""
        for p in trained.values():
            p.requires_grad_(False)

    @classmethod
    def open(cls, folder: Path, reach: Reach, *, seed: int) -> "Learner":
        """Load a student in full precision.

        Args:
            folder: its checkpoint, full weights or an adapter.
            reach: what of it is trained.
            seed: of a fresh adapter.
        """
        import torch

        torch.set_num_threads(reach.threads)
        loaded: tuple[Any, Any] = checkpoint.load(folder, exact=True)
        model, tokenizer = loaded
        plain = model.get_base_model() if checkpoint.adapted(folder) else model
        plain.set_attn_implementation("eager")
        model = _reached(model, folder, reach, seed)
        return cls(model, Wording.read(folder, tokenizer=tokenizer), device=choose(reach.device))

    def batches(self, pool: Pool, rows: int) -> list[Batch]:
        """Put a pool into rows of tokens, those of one length together.

        Args:
            pool: question and answer of each.
            rows: of a batch at most.

        Raises:
            PartError: a conversation is longer than the student can read.
        """
        turns = self.wording.turns([(row.question, row.answer) for row in pool.rows])
        lengths = [len(turn.prompt) + len(turn.answer) for turn in turns]
        if turns and (longest := max(lengths)) > self.wording.positions:
            raise PartError(
                f"sample {pool.ids[lengths.index(longest)]!r} has {longest} tokens and the student reads "
                f"{self.wording.positions}; leave longer samples out of the pool"
            )
        order = sorted(range(len(turns)), key=lengths.__getitem__, reverse=True)
        made: list[Batch] = []
        while order:
            count = max(1, min(rows, TOKENS // lengths[order[0]]))
            made.append(self._batch(order[:count], turns))
            order = order[count:]
        return made

    def token_losses(self, weights_P: "Tensor", batch: Batch) -> "Tensor":
        """Negative log-probability of every token after `batch.since`, 0 where it is of no answer.

        Returns:
            Rows by positions.
        """
        return self._losses(weights_P, batch.ids_ST, batch.labels_ST, batch.since)

    def losses(self, weights_P: "Tensor", batch: Batch) -> "Tensor":
        """Mean negative log-probability over the tokens of each answer."""
        return _means(self.token_losses(weights_P, batch), batch.labels_ST)

    def loss(self, weights_P: "Tensor", batches: Sequence[Batch]) -> "Tensor":
        """Mean of the samples' losses."""
        import torch

        return torch.cat([self.losses(weights_P, batch) for batch in batches]).mean()

    def gradients(self, weights_P: "Tensor", batch: Batch) -> "Tensor":
        """Gradient of each sample's own loss, exact.

        Returns:
            Samples by numbers.
        """
        from torch.func import grad, vmap

        def of_one(weights_P: "Tensor", ids_T: "Tensor", labels_T: "Tensor") -> "Tensor":
            labels_1T = labels_T[None]
            return _means(self._losses(weights_P, ids_T[None], labels_1T, batch.since), labels_1T)[0]

        return vmap(grad(of_one), in_dims=(None, 0, 0))(weights_P, batch.ids_ST, batch.labels_ST)

    def gradient(self, weights_P: "Tensor", batches: Sequence[Batch]) -> "Tensor":
        """Gradient of the mean of the samples' losses."""
        import torch
        from torch.func import grad

        def together(weights_P: "Tensor", batch: Batch) -> "Tensor":
            return self.losses(weights_P, batch).sum()

        count = sum(len(batch.places) for batch in batches)
        return torch.stack([grad(together)(weights_P, batch) for batch in batches]).sum(0) / count

    def curvature(self, weights_P: "Tensor", batches: Sequence[Batch], direction_P: "Tensor") -> "Tensor":
        """Hessian of the mean of the samples' losses times a vector: the gradient of the slope along it."""
        from torch.func import grad

        def slope(weights_P: "Tensor") -> "Tensor":
            return self.gradient(weights_P, batches) @ direction_P

        return grad(slope)(weights_P)

    def install(self, weights_P: "Tensor") -> None:
        """Put weights into the model itself, for what does not take them as an argument."""
        for name, value in self._named(weights_P).items():
            self.model.get_parameter(name).data.copy_(value)

    def _losses(self, weights_P: "Tensor", ids_ST: "Tensor", labels_ST: "Tensor", since: int) -> "Tensor":
        import torch
        from torch.func import functional_call
        from torch.nn.functional import cross_entropy

        width = ids_ST.shape[1]
        # padding stands on the right, so that no token that counts looks at it
        hidden_TT = torch.ones(width, width, dtype=torch.bool, device=self.device).triu(1)
        mask_TT = torch.zeros(width, width, device=self.device).masked_fill(hidden_TT, torch.finfo(torch.float32).min)
        inputs = {
            "input_ids": ids_ST,
            "attention_mask": mask_TT.expand(ids_ST.shape[0], 1, width, width),
            "position_ids": torch.arange(width, device=self.device)[None],
            "use_cache": False,
            "logits_to_keep": width - since,
        }
        made: Any = functional_call(self.model, self._named(weights_P), (), inputs)
        wanted_ST = labels_ST[:, since + 1 :]
        return cross_entropy(made.logits[:, :-1].transpose(1, 2), wanted_ST, ignore_index=IGNORED, reduction="none")

    def _named(self, weights_P: "Tensor") -> "dict[str, Tensor]":
        parts = weights_P.split(self._sizes)
        return {name: part.view(shape) for (name, shape), part in zip(self._shapes.items(), parts, strict=True)}

    def _batch(self, places: list[int], turns: Sequence[Turn]) -> Batch:
        import torch

        own = [turns[place] for place in places]
        width = max(len(turn.prompt) + len(turn.answer) for turn in own)

        def table(fill: int, rows: list[list[int]]) -> "Tensor":
            return torch.tensor([row + [fill] * (width - len(row)) for row in rows], device=self.device)

        return Batch(
            places,
            table(int(self.wording.tokenizer.pad_token_id), [turn.prompt + turn.answer for turn in own]),
            table(IGNORED, [[IGNORED] * len(turn.prompt) + turn.answer for turn in own]),
            min(len(turn.prompt) for turn in own) - 1,
        )


def _means(losses_ST: "Tensor", labels_ST: "Tensor") -> "Tensor":
    return losses_ST.sum(1) / (labels_ST != IGNORED).sum(1)


def _reached(model: Any, folder: Path, reach: Reach, seed: int) -> Any:
    """Give the model with the numbers that are to be trained asking for a gradient, and no others."""
    import torch

    if sum(p.numel() for p in model.parameters()) <= reach.whole:
        return attach(model, folder, None).requires_grad_(True)
    if checkpoint.adapted(folder):
        for name, weight in model.named_parameters():
            weight.requires_grad_("lora_" in name)
        return model
    torch.manual_seed(seed)
    return attach(model, folder, reach.lora)
