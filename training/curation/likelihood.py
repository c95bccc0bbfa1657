"""How likely a model finds what others wrote: batched forward passes over questions and their answers.

Equal turns are read once and batches are made by length and content, so a number does not depend on which samples
stand beside it in a pool, nor on their order. Rows are padded on the right: a causal model never looks there.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...memory.stopping import STOP
from ...memory.talk import Question, text_of
from ..checkpoint import load
from ..device import Device, choose
from ..wording import UNBOUNDED, Turn, Wording

Floats = NDArray[np.float64]
Row = tuple[tuple[int, ...], tuple[int, ...]]
"""Prompt and answer as token ids that can be looked up."""
TOKENS = 4096
"""Tokens per forward pass, padding included: on a CPU more of them fall out of its cache, on a GPU fewer leave it idle."""
TOKENS_ON_A_GPU = 65_536
NUMBERS = 1 << 26
"""Logits held at once, 256 MiB of them: with a large vocabulary fewer tokens go into a pass."""


class Logs(NamedTuple):
    """Natural logarithms of the probabilities of answers' tokens, one answer after the other."""

    flat_T: Floats
    """Of every token, at most 0."""
    lengths_S: NDArray[np.int64]
    """Tokens of each answer, the one that ends it included; at least 1."""

    @property
    def sums_S(self) -> Floats:
        """Log-probability of each answer."""
        if not len(self.lengths_S):
            return np.zeros(0)
        return np.add.reduceat(self.flat_T, np.cumsum(self.lengths_S) - self.lengths_S)

    @property
    def means_S(self) -> Floats:
        """Mean over the tokens of each answer; minus that is its loss, in nats."""
        return self.sums_S / self.lengths_S

    def split(self) -> list[Floats]:
        """One array an answer."""
        return np.split(self.flat_T, np.cumsum(self.lengths_S)[:-1]) if len(self.lengths_S) else []


class Reader:
    """A model that reads and says how likely each token was."""

    def __init__(self, model: Any, tokenizer: Any, wording: Wording | None, *, positions: int = UNBOUNDED) -> None:
        """Read with a model.

        Args:
            model: in memory, on its device.
            tokenizer: its own.
            wording: how it is spoken to; None for a model that only goes on with texts.
            positions: tokens it can tell apart. What is longer loses the beginning of its question, then the end of
                its answer.
        """
        self.model: Any = model.eval()
        self.tokenizer: Any = tokenizer
        self.wording = wording
        self.positions = positions

    @classmethod
    def open(cls, folder: Path, *, device: Device = "auto") -> "Reader":
        """Load a checkpoint; one without a chat template reads questions and answers as lines of a text.

        Raises:
            UnavailableError: it is not there or damaged.
        """
        loaded: tuple[Any, Any] = load(folder)
        model, tokenizer = loaded
        wording = Wording.read(folder, tokenizer=tokenizer) if tokenizer.chat_template else None
        positions = wording.positions if wording else _positions(model)
        return cls(model.to(choose(device)), tokenizer, wording, positions=positions)

    def given(self, pairs: Sequence[tuple[Question, str]]) -> Logs:
        """Answers, each after its question."""
        return self.read(self.turns(pairs))

    def alone(self, answers: Sequence[str]) -> Logs:
        """Answers with nothing asked: an empty question to a model that chats, the beginning of a text to another."""
        return self.read(self.turns([("", answer) for answer in answers]))

    def whole(self, pairs: Sequence[tuple[Question, str]]) -> Logs:
        """Questions and answers as one text, all but its first token."""
        return self.read([Turn(p[:1], p[1:] + a) for p, a in self.turns(pairs)])

    def turns(self, pairs: Sequence[tuple[Question, str]]) -> list[Turn]:
        """Token ids of questions and answers, within the positions there are."""
        made = self.wording.turns(pairs) if self.wording else self._lines(pairs)
        return [_fit(turn, self.positions) for turn in made]

    def read(self, turns: Sequence[Turn]) -> Logs:
        """Log-probabilities of the tokens of each answer after its prompt.

        Args:
            turns: prompts and answers of at least one token each.
        """
        places: dict[Row, int] = {}
        index = [places.setdefault((tuple(p), tuple(a)), len(places)) for p, a in turns]
        # by content where lengths are equal, so that batches are the same whatever the order of the turns
        order = sorted(places, key=lambda k: (len(k[0]) + len(k[1]), k))
        found: dict[int, Floats] = {}
        for batch in self._batches(order):
            STOP.heed()
            found.update(zip((places[key] for key in batch), self._pass(batch), strict=True))
        parts = [found[i] for i in index]
        lengths_S = np.array([len(part) for part in parts], dtype=np.int64)
        return Logs(np.concatenate(parts) if parts else np.zeros(0), lengths_S)

    def _batches(self, order: Sequence[Row]) -> Iterator[Sequence[Row]]:
        """Cut rows, the shortest first, so that a pass holds as many tokens as it should."""
        tokens = TOKENS if self.model.device.type == "cpu" else TOKENS_ON_A_GPU
        most = max(1, min(tokens, NUMBERS // int(self.model.config.vocab_size)))
        start = 0
        for end, (prompt, answer) in enumerate(order):
            if end > start and (end + 1 - start) * (len(prompt) + len(answer)) > most:
                yield order[start:end]
                start = end
        if order:
            yield order[start:]

    def _pass(self, rows: Sequence[Row]) -> list[Floats]:
        import torch
        from torch.nn.functional import cross_entropy

        prompts_R = np.array([len(p) for p, _ in rows])
        lengths_R = prompts_R + np.array([len(a) for _, a in rows])
        width = int(lengths_R.max())
        ids_RT = np.zeros((len(rows), width), dtype=np.int64)
        ids_RT[np.arange(width) < lengths_R[:, None]] = [token for p, a in rows for token in (*p, *a)]
        # positions before the end of the shortest prompt predict no answer
        first = int(prompts_R.min()) - 1
        at_RT = np.arange(first, width - 1)
        row, column = np.nonzero((at_RT >= prompts_R[:, None] - 1) & (at_RT < lengths_R[:, None] - 1))
        device = self.model.device
        with torch.inference_mode():
            told: Any = self.model(
                input_ids=torch.from_numpy(ids_RT).to(device), attention_mask=torch.ones(ids_RT.shape, device=device),
                use_cache=False, logits_to_keep=width - first,
            )  # fmt: skip
            logits = told.logits[torch.from_numpy(row).to(device), torch.from_numpy(column).to(device)].float()
            wanted = torch.from_numpy(ids_RT[row, column + first + 1]).to(device)
            logs = -cross_entropy(logits, wanted, reduction="none")
        return np.split(logs.double().cpu().numpy(), np.cumsum(lengths_R - prompts_R)[:-1])

    def _lines(self, pairs: Sequence[tuple[Question, str]]) -> list[Turn]:
        """A text that begins with a question's line, if anything is asked, and ends after the answer."""
        end = [int(self.tokenizer.eos_token_id)]
        bos = self.tokenizer.bos_token_id
        begin = end if bos is None else [int(bos)]
        asked = [f"{text}\n" if (text := text_of(question)) else "" for question, _ in pairs]
        if not pairs:
            return []
        questions, answers = (
            self.tokenizer(texts, add_special_tokens=False)["input_ids"] for texts in (asked, [a for _, a in pairs])
        )
        return [Turn(begin + q, a + end) for q, a in zip(questions, answers, strict=True)]


def _fit(turn: Turn, positions: int) -> Turn:
    """Cut what a model has no positions for: the beginning of the question, then the end of the answer."""
    prompt, answer = turn
    if len(prompt) + len(answer) <= positions:
        return turn
    prompt = prompt[-max(1, positions - len(answer)) :]
    return Turn(prompt, answer[: positions - len(prompt)])


def _positions(model: Any) -> int:
    return int(getattr(model.config, "max_position_embeddings", None) or UNBOUNDED)
