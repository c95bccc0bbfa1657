"""The in-process engine: padded batches sorted by length, on purpose with few threads.

Greedy answers do not depend on what else is in a batch; sampled ones are fixed by the seeds of their batch.
On a busy two-core machine two OpenMP threads were 25 times slower than one for a small model, so one is the default.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from ...memory.files import digest
from ...memory.inference import Completion, Engine, Message, Request, require
from ...memory.stopping import STOP
from ...memory.trace import span, spent
from ..checkpoint import identify, load
from ..engine import EnginePart

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

IGNORED = -100

Kind = tuple[float, int, float]
"""Temperature, longest answer and top_p."""


class Transformers(EnginePart):
    """Answer in this process with `transformers`."""

    batch: int = Field(default=256, ge=1)
    """Conversations per forward pass."""
    threads: int = Field(default=1, ge=1)
    """CPU threads."""

    def open(self, checkpoint: Path) -> Engine:
        """Load a checkpoint from disk."""
        import torch

        with spent("start-up"):
            torch.set_num_threads(self.threads)
            model, tokenizer = load(checkpoint)
        return _Loaded(self, model.eval(), tokenizer, identify(checkpoint))


class _Loaded:
    def __init__(
        self, settings: Transformers, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerFast", student: str
    ) -> None:
        self.settings = settings
        self.model: Any = model
        self.tokenizer: Any = tokenizer
        self.student = student

    def close(self) -> None:
        self.model = self.tokenizer = None

    async def answer(self, requests: Sequence[Request]) -> list[Completion]:
        require(requests, engine="transformers", takes=("system", "messages", "top_p"))
        with spent("inference"), span("answer", requests=len(requests), student=self.student):
            prompts = [self._prompt(r.conversation()) for r in requests]
            order = sorted(range(len(requests)), key=lambda i: (*_kind(requests[i]), len(prompts[i])))
            answers: dict[int, Completion] = {}
            for indices in _batches(order, [_kind(r) for r in requests], self.settings.batch):
                STOP.heed()
                made = self._generate([requests[i] for i in indices], [prompts[i] for i in indices])
                answers.update(zip(indices, made, strict=True))
            return [answers[i] for i in range(len(requests))]

    async def agrees(self, pairs: Sequence[tuple[str, str]]) -> list[bool]:
        with spent("inference"), span("agree", requests=len(pairs), student=self.student):
            rows = [(self._prompt(Request(p).conversation()), self._tokens(answer)) for p, answer in pairs]
            order = sorted(range(len(rows)), key=lambda i: len(rows[i][0]) + len(rows[i][1]))
            agreed: dict[int, bool] = {}
            for indices in _batches(order, [(0.0, 0, 1.0)] * len(rows), self.settings.batch):
                STOP.heed()
                agreed.update(zip(indices, self._forced([rows[i] for i in indices]), strict=True))
            return [agreed[i] for i in range(len(rows))]

    def _prompt(self, messages: list[Message]) -> list[int]:
        """Token ids of a conversation, ready for the answer."""
        return self.tokenizer.apply_chat_template(messages, add_generation_prompt=True)["input_ids"]

    def _tokens(self, answer: str) -> list[int]:
        """Token ids of an answer with its end."""
        return [*self.tokenizer(answer, add_special_tokens=False)["input_ids"], self.tokenizer.eos_token_id]

    def _generate(self, requests: list[Request], prompts: list[list[int]]) -> list[Completion]:
        import torch

        width = max(map(len, prompts))
        pad = self.tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (width - len(p)) + p for p in prompts])
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
        first = requests[0]
        sampling: dict[str, Any] = {"do_sample": False}
        if first.temperature > 0:
            torch.manual_seed(int(digest([[r.prompt, r.seed] for r in requests], length=12), 16))
            sampling = {"do_sample": True, "temperature": first.temperature, "top_k": 0, "top_p": first.top_p}
        with torch.inference_mode():
            made = self.model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=first.longest,
                pad_token_id=pad,
                use_cache=True,
                **sampling,
            )[:, width:].tolist()
        end = self.tokenizer.eos_token_id
        completions: list[Completion] = []
        for row in made:
            complete = end in row
            tokens = row[: row.index(end)] if complete else row
            completions.append(
                Completion(self.tokenizer.decode(tokens, skip_special_tokens=True), len(tokens), complete)
            )
        return completions

    def _forced(self, rows: list[tuple[list[int], list[int]]]) -> list[bool]:
        """One forward pass: does the arg-max at every answer position give the reference?"""
        import torch

        width = max(len(p) + len(a) for p, a in rows)
        pad = self.tokenizer.pad_token_id
        ids = torch.tensor([p + a + [pad] * (width - len(p) - len(a)) for p, a in rows])
        labels = torch.tensor([[IGNORED] * len(p) + a + [IGNORED] * (width - len(p) - len(a)) for p, a in rows])
        with torch.inference_mode():
            guesses = (
                self.model(input_ids=ids, attention_mask=(ids != pad).long(), use_cache=False).logits[:, :-1].argmax(-1)
            )
        wanted = labels[:, 1:]
        return ((guesses == wanted) | (wanted == IGNORED)).all(dim=1).tolist()


def _kind(request: Request) -> Kind:
    """Requests of one kind may share a batch."""
    return request.temperature, request.longest, request.top_p


def _batches(order: Sequence[int], kinds: Sequence[Kind], size: int) -> list[list[int]]:
    """Cut an order into batches of one kind."""
    batches: list[list[int]] = []
    for i in order:
        if batches and len(batches[-1]) < size and kinds[batches[-1][0]] == kinds[i]:
            batches[-1].append(i)
        else:
            batches.append([i])
    return batches
