"""A student that learns in seconds: the project's own tiny Llama, plain torch, one thread, one pass per exam.

It is spoken to as the embedded student is (`training/tokenizer.py`), so its weights can be saved for any method that
wants a folder of them. Rows are padded on the right and attention is causal, so no row sees its padding. An exam is
teacher-forced (`training/exam.py`): an item is passed where every token of the answer is the likeliest one.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...scenarios.schema import Student
from ...training import checkpoint
from ...training.student import LONGEST, untrained
from ...training.tokenizer import ASSISTANT, CHARACTERS, END, PAD, SPECIAL, USER, build_tokenizer
from .tasks import Item

if TYPE_CHECKING:
    import torch

SIZE = Student(hidden=64, layers=2, heads=4)
"""The student of an experiment that names no other."""
BATCH = 32
RATE = 2e-3
WARM = 50
"""Steps until the learning rate is reached; it stays there, so that no curve depends on where it was to end."""
CLIP = 1.0
MEAN = 0.98
"""Decay of the running mean of weights that is examined: at a constant rate the latest weights are mostly noise."""
IGNORED = -100
EXAMINED = 128
"""Rows of one forward pass of an exam."""
CODES = {token: i for i, token in enumerate((*SPECIAL, *CHARACTERS))}


State = Mapping[str, "torch.Tensor"]
"""Weights by name."""


class Tokens(NamedTuple):
    """Rows as the student reads them."""

    ids_ST: NDArray[np.int64]
    labels_ST: NDArray[np.int64]
    """The same where the answer is, `IGNORED` elsewhere."""


def tokens(items: Sequence[Item]) -> Tokens:
    """Spell items out, padded on the right."""
    rows = [
        (
            [CODES[USER], *(CODES[c] for c in i.prompt), CODES[ASSISTANT]],
            [*(CODES[c] for c in i.answer), CODES[END]],
        )
        for i in items
    ]
    longest = max((len(asked) + len(said) for asked, said in rows), default=0)
    ids = np.full((len(rows), longest), CODES[PAD], dtype=np.int64)
    labels = np.full((len(rows), longest), IGNORED, dtype=np.int64)
    for at, (asked, said) in enumerate(rows):
        ids[at, : len(asked) + len(said)] = asked + said
        labels[at, len(asked) : len(asked) + len(said)] = said
    return Tokens(ids, labels)


class Pupil:
    """A student under training; the same seed gives the same initial weights, whatever it is taught then.

    `model` is what is trained, `mean` the running mean of its weights, which is examined and saved.

    Args:
        seed: of the initial weights.
        size: width, layers and heads.
        rate: learning rate of AdamW after warm-up.
        decay: weight decay.
        dropout: share of attention weights that is left out in training, in [0, 1).
    """

    def __init__(
        self, seed: int, *, size: Student = SIZE, rate: float = RATE, decay: float = 0.01, dropout: float = 0.0
    ) -> None:
        import torch

        torch.set_num_threads(1)
        self.model, self.mean = untrained(size, seed=seed), untrained(size, seed=seed)
        for layer in self.model.model.layers:
            vars(layer.self_attn)["attention_dropout"] = dropout
        self.rate, self.steps, self.samples = rate, 0, 0
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=rate, weight_decay=decay, betas=(0.9, 0.98))
        torch.manual_seed(seed)

    def learn(self, items: Sequence[Item], *, batch: int = BATCH) -> float:
        """Take one optimiser step per batch, in the order given, and give the mean loss of the batches."""
        losses = [self._step(items[at : at + batch]) for at in range(0, len(items), batch)]
        return float(np.mean(losses)) if losses else 0.0

    def study(self, items: Sequence[Item], *, epochs: int, rng: Random, batch: int = BATCH) -> None:
        """Go over a fixed set several times, shuffled anew each time."""
        for _ in range(epochs):
            self.learn(rng.sample(items, len(items)), batch=batch)

    def passes(self, items: Sequence[Item]) -> NDArray[np.bool_]:
        """Say of each item whether it would be answered exactly right."""
        right = [self._agree(part) for part in self._forward(items)]
        return np.concatenate(right) if right else np.zeros(0, dtype=bool)

    def losses(self, items: Sequence[Item]) -> NDArray[np.float64]:
        """Mean negative log-likelihood of each item's answer, in nats a token."""
        found = [self._nll(part) for part in self._forward(items)]
        return np.concatenate(found) if found else np.zeros(0)

    def marks(self, exam: Mapping[str, Sequence[Item]]) -> dict[str, float]:
        """Pass rate by skill."""
        order = sorted(exam)
        passed = self.passes([item for skill in order for item in exam[skill]]).astype(np.float64)
        ends = np.cumsum([len(exam[skill]) for skill in order])
        return {skill: float(p.mean()) for skill, p in zip(order, np.split(passed, ends[:-1]), strict=True)}

    def state(self) -> State:
        """What it has learned, to begin again from."""
        return {name: value.clone() for name, value in self.mean.state_dict().items()}

    def restore(self, state: State) -> "Pupil":
        """Take over what another one of the same size has learned; the optimiser begins anew."""
        for model in (self.model, self.mean):
            model.load_state_dict(dict(state))
        return self

    def save(self, folder: Path) -> Path:
        """Write it as a checkpoint that every engine and scorer of the project can read."""
        checkpoint.save(self.mean, build_tokenizer(LONGEST), folder)
        return folder

    def _step(self, items: Sequence[Item]) -> float:
        import torch
        from torch.nn.functional import cross_entropy

        self.model.train()
        ids, labels = (torch.from_numpy(a) for a in tokens(items))
        # only positions that predict a token of the answer go through the output layer
        wanted = labels[:, 1:] != IGNORED
        hidden = self.model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
        loss = cross_entropy(self.model.lm_head(hidden[wanted]), labels[:, 1:][wanted])
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        self.steps, self.samples = self.steps + 1, self.samples + len(items)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * min(1.0, self.steps / WARM)
        self.optimizer.step()
        with torch.no_grad():
            for mean, latest in zip(self.mean.parameters(), self.model.parameters(), strict=True):
                mean.lerp_(latest, 1 - MEAN)
        return loss.item()

    def _forward(self, items: Sequence[Item]) -> Iterator[tuple["torch.Tensor", "torch.Tensor"]]:
        """Log-probabilities and labels of the items, some hundred at a time; what is given is of shape (S, T, V)."""
        import torch

        self.mean.eval()
        with torch.no_grad():
            for at in range(0, len(items), EXAMINED):
                ids, labels = (torch.from_numpy(a) for a in tokens(items[at : at + EXAMINED]))
                yield self.mean(input_ids=ids[:, :-1], use_cache=False).logits, labels[:, 1:]

    def _agree(self, part: tuple["torch.Tensor", "torch.Tensor"]) -> NDArray[np.bool_]:
        logits, labels = part
        return np.asarray(((logits.argmax(-1) == labels) | (labels == IGNORED)).all(1).numpy())

    def _nll(self, part: tuple["torch.Tensor", "torch.Tensor"]) -> NDArray[np.float64]:
        from torch.nn.functional import cross_entropy

        logits, labels = part
        each = cross_entropy(logits.transpose(1, 2), labels, ignore_index=IGNORED, reduction="none")
        return np.asarray((each.sum(1) / (labels != IGNORED).sum(1)).double().numpy())
