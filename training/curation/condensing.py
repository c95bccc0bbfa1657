"""A small set written anew to teach what a large one does: a generator that is trained so that gradients match.

A copy of the student first learns to write samples of the set. Then it is pushed, by how likely it makes each sample,
until what it writes moves the student's last layer in the direction in which the set does. Text has no gradient, so it
is the probability of a text that has one: a sample counts with a weight of one whose derivative is that of its
log-probability. What it writes may be wrong; whoever asked for it verifies the samples as any others.

Source: DiLM, Maekawa et al. 2024, arXiv:2404.00264, at the size of a small student; of its learner only the last layer
is matched, whose gradient has a closed form.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from ...memory.errors import EvolventError
from .. import checkpoint
from ..wording import Turn, Wording
from .pool import Pool, Row

if TYPE_CHECKING:
    import torch

IGNORED = -100
ROOM = 8
"""Tokens that a written sample may be longer than the longest of the set."""
FRESH = 8
"""Times the wanted number that is written at most, since some is no sample or there already."""


class Condensed(NamedTuple):
    """What became of a set."""

    rows: tuple[Row, ...]
    """Samples as they were written, distinct; fewer than wanted where the generator repeats itself."""
    before: float
    """Cosine of the gradients of written samples and of the set, when the generator could write only."""
    after: float
    """The same when it had been trained to match."""


class Condensing(BaseModel):
    """How a generator is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    writing: int = Field(default=300, ge=1)
    """Steps in which it learns to write samples of the set."""
    matching: int = Field(default=60, ge=0)
    """Steps in which it learns to match gradients."""
    batch: int = Field(default=64, ge=2)
    """Samples of the set, and written ones, in a step."""
    learning_rate: float = Field(default=3e-3, gt=0, allow_inf_nan=False)
    """Of writing."""
    push: float = Field(default=1e-4, gt=0, allow_inf_nan=False)
    """Learning rate of matching; a larger one has it write the same again and again."""

    def condense(self, pool: Pool, count: int, *, learners: Sequence[Path], seed: int) -> Condensed:
        """Write at most `count` samples in the place of a pool.

        Args:
            pool: at least two samples, none of them a conversation.
            count: samples wanted.
            learners: checkpoints of the student whose gradients are matched; the generator starts as the first.
            seed: fixes everything random.

        Raises:
            EvolventError: the student's template or tokenizer does not keep question and answer apart.
        """
        import torch

        torch.manual_seed(seed)
        model, tokenizer = _load(learners[0])
        writing = _Writing(Wording.read(learners[0], tokenizer=tokenizer), tokenizer.pad_token_id)
        rows = writing.read(pool)
        self._learn_to_write(model, rows, writing)
        taught = [_load(path)[0].eval() for path in learners]
        longest = ROOM + max(len(turn.prompt) + len(turn.answer) for turn in rows)
        cosines = self._match(model, rows, taught, writing, longest)
        return Condensed(self._write(model, count, writing, longest), cosines[0], cosines[-1])

    def _learn_to_write(self, model: Any, rows: Sequence[Turn], writing: "_Writing") -> None:
        import torch

        optimizer = torch.optim.AdamW(model.parameters(), lr=self.learning_rate, betas=(0.9, 0.98))
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, self.writing)
        for _ in range(self.writing):
            ids_BT, labels_BT = writing.table(_some(rows, self.batch), whole=True)
            loss = -_likelihoods(model, ids_BT, labels_BT).sum() / (labels_BT != IGNORED).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()

    def _match(
        self, model: Any, rows: Sequence[Turn], taught: Sequence[Any], writing: "_Writing", longest: int
    ) -> list[float]:
        """Train the generator; give the cosine before each step, and after the last."""
        import torch

        optimizer = torch.optim.AdamW(model.parameters(), lr=self.push)
        cosines: list[float] = []
        for step in range(self.matching + 1):
            learner = taught[step % len(taught)]
            written = [turn for turn in writing.draw(model, self.batch, longest) if turn is not None]
            if not written:
                raise EvolventError("the generator writes nothing that is a sample; give it more steps of writing")
            wanted = last_gradients(learner, *writing.table(_some(rows, self.batch))).mean(0)
            own_BG = last_gradients(learner, *writing.table(written))
            likely_B = _likelihoods(model, *writing.table(written, whole=True))
            weights_B = torch.exp(likely_B - likely_B.detach())
            cosine = torch.cosine_similarity((weights_B[:, None] * own_BG).mean(0), wanted, dim=0)
            cosines.append(cosine.item())
            if step < self.matching:
                optimizer.zero_grad()
                (1 - cosine).backward()
                optimizer.step()
        return cosines

    def _write(self, model: Any, count: int, writing: "_Writing", longest: int) -> tuple[Row, ...]:
        made: dict[tuple[str, str], None] = {}
        for _ in range(-(-FRESH * count // self.batch)):
            drawn = writing.draw(model, self.batch, longest)
            made |= dict.fromkeys(writing.tell(turn) for turn in drawn if turn is not None)
            if len(made) >= count:
                break
        told = enumerate(list(made)[:count])
        return tuple(Row(f"condensed-{place:05}", question, answer) for place, (question, answer) in told)


class _Writing:
    """Samples as one row of tokens: what stands before a question, the question, the seam, the answer."""

    def __init__(self, wording: Wording, pad: int) -> None:
        self.wording, self.pad = wording, pad
        one, other = (turn.prompt for turn in wording.turns([("0", "0"), ("1", "1")]))
        same = [a == b for a, b in zip(one, other, strict=True)]
        self.head, self.seam = one[: same.index(False)], one[same.index(False) + 1 :]

    def read(self, pool: Pool) -> list[Turn]:
        rows = self.wording.turns([(row.question, row.answer) for row in pool.rows])
        if not self.head or not self.seam or any(self.cut([*t.prompt, *t.answer]) != t for t in rows):
            raise EvolventError("this student's template or tokenizer does not keep question and answer apart")
        return rows

    def cut(self, tokens: Sequence[int]) -> Turn | None:
        """Part a row into a sample; None where it has no seam or no end."""
        size = len(self.seam)
        starts = range(len(self.head), len(tokens) - size)
        seam = next((i for i in starts if list(tokens[i : i + size]) == self.seam), None)
        end = next((i for i, token in enumerate(tokens) if token in self.wording.ends), None)
        if seam is None or end is None or not len(self.head) < seam < end - size:
            return None
        return Turn(list(tokens[: seam + size]), list(tokens[seam + size : end + 1]))

    def tell(self, turn: Turn) -> tuple[str, str]:
        """Question and answer in words."""
        question = turn.prompt[len(self.head) : len(turn.prompt) - len(self.seam)]
        return self.wording.tokenizer.decode(question), self.wording.said(turn.answer).text

    def table(self, turns: Sequence[Turn], *, whole: bool = False) -> "tuple[torch.Tensor, torch.Tensor]":
        """Ids and labels of rows; labels stand on answers, or on all that is written."""
        import torch

        width = max(len(t.prompt) + len(t.answer) for t in turns)
        blind = [len(self.head) if whole else len(t.prompt) for t in turns]
        rows = [[*t.prompt, *t.answer] for t in turns]
        ids = [row + [self.pad] * (width - len(row)) for row in rows]
        labels = [[IGNORED] * b + row[b:] + [IGNORED] * (width - len(row)) for b, row in zip(blind, rows, strict=True)]
        return torch.tensor(ids), torch.tensor(labels)

    def draw(self, model: Any, count: int, longest: int) -> list[Turn | None]:
        """Let a generator write; None for what is no sample."""
        import torch

        ids = torch.tensor([self.head] * count)
        with torch.no_grad():
            made = model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=longest, do_sample=True, top_k=0,
                pad_token_id=self.pad, eos_token_id=list(self.wording.ends),
            )  # fmt: skip
        return [self.cut(row) for row in made.tolist()]


def last_gradients(model: Any, ids_BT: "torch.Tensor", labels_BT: "torch.Tensor") -> "torch.Tensor":
    """Gradient of each sample's mean loss by the last layer: errors of the probabilities times what they read.

    Returns:
        Of shape `(samples, vocabulary * width)`, without a graph.
    """
    import torch

    with torch.no_grad():
        hidden_BTD = model.base_model(input_ids=ids_BT).last_hidden_state[:, :-1]
        labels = labels_BT[:, 1:]
        asked_BT = labels != IGNORED
        errors_BTV = model.get_output_embeddings()(hidden_BTD).softmax(-1)
        errors_BTV -= torch.nn.functional.one_hot(labels.clamp_min(0), errors_BTV.shape[-1])
        errors_BTV *= (asked_BT / asked_BT.sum(1, keepdim=True))[:, :, None]
        return torch.einsum("btv,btd->bvd", errors_BTV, hidden_BTD).flatten(1)


def _likelihoods(model: Any, ids_BT: "torch.Tensor", labels_BT: "torch.Tensor") -> "torch.Tensor":
    """Log-probability of the labelled tokens of each row."""
    from torch.nn.functional import cross_entropy

    logits_BVT = model(input_ids=ids_BT, use_cache=False).logits[:, :-1].transpose(1, 2)
    return -cross_entropy(logits_BVT, labels_BT[:, 1:], ignore_index=IGNORED, reduction="none").sum(1)


def _some(rows: Sequence[Turn], count: int) -> list[Turn]:
    import torch

    return [rows[i] for i in torch.randperm(len(rows))[:count].tolist()]


def _load(path: Path) -> tuple[Any, Any]:
    loaded: tuple[Any, Any] = checkpoint.load(path)
    return loaded
