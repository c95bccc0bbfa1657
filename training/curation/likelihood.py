"""How likely a model finds what others wrote: batched forward passes over questions and their answers.

Equal turns are read once and batches are made by length and content, so a number does not depend on which samples
stand beside it in a pool, nor on their order. Rows are padded on the right: a causal model never looks there.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...memory.errors import UnavailableError
from ...memory.stopping import STOP
from ...memory.talk import Question, text_of
from ...scenarios.student import Student
from ..checkpoint import load
from ..device import Device, choose
from ..origin import locate
from ..wording import UNBOUNDED, Turn, Wording

Floats = NDArray[np.float64]
Place = tuple[int, int]
"""What tells answers in one row apart: tokens of the prompt, and the last token."""
TOKENS = 4096
"""Tokens per forward pass, padding included: on a CPU from 512 to 16,384 of them are as fast."""
TOKENS_ON_A_GPU = 65_536
"""The same on a GPU, which few tokens leave idle."""
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
        whole = [(*prompt, *answer) for prompt, answer in turns]
        # the last token of an answer is predicted and never read, so answers that differ there alone share a row
        begun: dict[tuple[int, ...], set[Place]] = {}
        places = [(tokens[:-1], (len(turn.prompt), tokens[-1])) for tokens, turn in zip(whole, turns, strict=True)]
        for tokens, place in places:
            begun.setdefault(tokens, set()).add(place)
        found: dict[tuple[tuple[int, ...], Place], Floats] = {}
        # by content where lengths are equal, so that batches are the same whatever the order of the turns
        for batch in self._batches(sorted(begun, key=lambda tokens: (len(tokens), tokens))):
            STOP.heed()
            wanted = [(tokens, place) for tokens in batch for place in sorted(begun[tokens])]
            found.update(zip(wanted, self._pass(batch, wanted), strict=True))
        parts = [found[place] for place in places]
        lengths_S = np.array([len(part) for part in parts], dtype=np.int64)
        return Logs(np.concatenate(parts) if parts else np.zeros(0), lengths_S)

    def _batches(self, order: Sequence[tuple[int, ...]]) -> Iterator[Sequence[tuple[int, ...]]]:
        """Cut rows, the shortest first, so that a pass holds as many tokens as it should."""
        tokens = TOKENS if self.model.device.type == "cpu" else TOKENS_ON_A_GPU
        most = max(1, min(tokens, NUMBERS // int(self.model.config.vocab_size)))
        start = 0
        for end, row in enumerate(order):
            if end > start and (end + 1 - start) * len(row) > most:
                yield order[start:end]
                start = end
        if order:
            yield order[start:]

    def _pass(self, rows: Sequence[tuple[int, ...]], wanted: Sequence[tuple[tuple[int, ...], Place]]) -> list[Floats]:
        """Read rows once; give the log-probabilities of each wanted answer."""
        import torch
        from torch.nn.functional import cross_entropy

        number = {row: i for i, row in enumerate(rows)}
        width = max(map(len, rows))
        # one column more for the tokens that are predicted and not read
        ids_RT = np.zeros((len(rows), width + 1), dtype=np.int64)
        ids_RT[np.arange(width + 1) < np.array([len(row) for row in rows])[:, None]] = [i for row in rows for i in row]
        starts_W = np.array([prompt - 1 for _, (prompt, _) in wanted])
        counts_W = np.array([len(row) for row, _ in wanted]) - starts_W
        ends_W = np.cumsum(counts_W)
        row_T = np.repeat([number[row] for row, _ in wanted], counts_W)
        column_T = np.arange(ends_W[-1]) + np.repeat(starts_W - (ends_W - counts_W), counts_W)
        tokens_T = ids_RT[row_T, column_T + 1]
        tokens_T[ends_W - 1] = [last for _, (_, last) in wanted]
        # positions before the end of the shortest prompt predict nothing that is wanted
        first = int(starts_W.min())
        device = self.model.device
        with torch.inference_mode():
            told: Any = self.model(
                input_ids=torch.from_numpy(ids_RT[:, :-1]).to(device), use_cache=False, logits_to_keep=width - first,
                attention_mask=torch.ones((len(rows), width), dtype=torch.long, device=device),
            )  # fmt: skip
            logits_TV = told.logits[torch.from_numpy(row_T).to(device), torch.from_numpy(column_T - first).to(device)]
            logs_T = -cross_entropy(logits_TV.float(), torch.from_numpy(tokens_T).to(device), reduction="none")
        return np.split(logs_T.double().cpu().numpy(), ends_W[:-1])

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


def find(model: str, revision: str, student: Path | None) -> Path:
    """Folder of the model that reads.

    Args:
        model: folder or hub id; empty for the student.
        revision: commit on the hub.
        student: its folder, where there is one.

    Raises:
        UnavailableError: there is no such model.
    """
    if not model:
        assert student is not None, "a method that reads with the student needs one"
        return student
    try:
        return locate(Student(model=model, revision=revision))
    except UnavailableError as error:
        # what is named here is no student, whatever it is looked up with
        raise UnavailableError(str(error).replace("student.", "")) from None
