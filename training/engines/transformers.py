"""The in-process engine: padded batches sorted by length, on purpose with few threads.

Greedy answers do not depend on what else is in a batch; sampled ones are fixed by the seeds of their batch.
On a busy two-core machine two OpenMP threads were 25 times slower than one for a small model, so one is the default.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from ...memory import conventions
from ...memory.errors import PartError
from ...memory.files import digest
from ...memory.inference import CUT, Completion, Engine, Model, Reply, Request, Role, require
from ...memory.stopping import STOP
from ...memory.talk import Question
from ...memory.trace import span, spent
from ...scenarios.student import Student
from ..checkpoint import identify, load
from ..curation.likelihood import Reader
from ..device import Device, choose, unset
from ..engine import EnginePart
from ..origin import locate
from ..wording import Turn, Wording

IGNORED = -100

SCORER = "scorer"
"""Role in which it may work with a model of its own; others ask for JSON, which it cannot bind."""

Kind = tuple[float, int, float]
"""Temperature, longest answer and top_p."""


class Transformers(EnginePart):
    """Answer in this process with `transformers`."""

    batch: int = Field(default=256, ge=1)
    """Conversations per forward pass."""
    threads: int = Field(default=1, ge=1)
    """CPU threads."""
    device: Device = Field(default="auto", exclude_if=unset)
    """Where to compute: `auto` is a GPU where there is one."""
    model: str = Field(default="", exclude_if=lambda model: not model)
    """Folder or hub id of the model that works as scorer; a student is given by the session."""
    revision: str = Field(default="", exclude_if=lambda revision: not revision)
    """Commit of a model on the hub, forty hexadecimal digits."""

    def open(self, checkpoint: Path) -> Engine:
        """Load a checkpoint from disk."""
        return self._loaded(checkpoint)

    def serve(self, role: Role) -> Model:
        """Load the model that the settings name, to work as scorer.

        Raises:
            PartError: another role, or no model is named.
            UnavailableError: the model is not there.
        """
        if role != SCORER:
            return super().serve(role)
        if not self.model:
            raise PartError(f"engine 'transformers' as {role} needs a model; name a folder in [models.{role}]")
        return self._loaded(locate(Student(model=self.model, revision=self.revision)))

    def _loaded(self, checkpoint: Path) -> "_Loaded":
        import torch
        from transformers import GenerationConfig

        with spent("start-up"):
            torch.set_num_threads(self.threads)
            device = choose(self.device)
            loaded: tuple[Any, Any] = load(checkpoint)
            model, tokenizer = loaded
            # what its files advise, such as a penalty for repetition, would change greedy answers
            model.generation_config = GenerationConfig()
            wording = Wording.read(checkpoint, tokenizer=tokenizer)
        return _Loaded(self, model.eval().to(device), wording, identify(checkpoint))


class _Loaded:
    paid = False

    def __init__(self, settings: Transformers, model: Any, wording: Wording, student: str) -> None:
        self.settings = settings
        self.model: Any = model
        self.wording = wording
        self.student = student
        self.forced = wording.forced

    def close(self) -> None:
        self.model = None

    async def answer(self, requests: Sequence[Request]) -> list[Completion]:
        require(requests, engine="transformers", takes=("system", "messages", "top_p", "choices", *self.wording.heeds))
        known = conventions.chat(self.student, provider="transformers", requests=len(requests))
        with spent("inference"), known as step:
            prompts = [self.wording.prompt(r.conversation(), r.tools) for r in requests]
            kinds = [_kind(r, self.wording.room(p, r.longest)) for r, p in zip(requests, prompts, strict=True)]
            answers = {i: CUT for i, kind in enumerate(kinds) if kind[1] == 0}
            answers |= self._weighed({i: r for i, r in enumerate(requests) if r.choices and i not in answers}, prompts)
            order = sorted(
                (i for i in range(len(requests)) if i not in answers), key=lambda i: (*kinds[i], len(prompts[i]))
            )
            for indices in _batches(order, kinds, self.settings.batch):
                STOP.heed()
                kind = kinds[indices[0]]
                made = self._generate([requests[i] for i in indices], [prompts[i] for i in indices], kind)
                answers.update(zip(indices, made, strict=True))
            step.update(conventions.usage(answers.values()))
            return [answers[i] for i in range(len(requests))]

    async def ask(self, requests: Sequence[Request]) -> list[Reply]:
        return [Reply(completion) for completion in await self.answer(requests)]

    async def agrees(self, pairs: Sequence[tuple[Question, str]]) -> list[bool]:
        with spent("inference"), span("agree", requests=len(pairs), student=self.student):
            rows = self.wording.turns(pairs)
            order = sorted(range(len(rows)), key=lambda i: len(rows[i].prompt) + len(rows[i].answer))
            agreed: dict[int, bool] = {}
            for indices in _batches(order, [(0.0, 0, 1.0)] * len(rows), self.settings.batch):
                STOP.heed()
                agreed.update(zip(indices, self._forced([rows[i] for i in indices]), strict=True))
            return [agreed[i] for i in range(len(rows))]

    def _weighed(self, requests: Mapping[int, Request], prompts: Sequence[list[int]]) -> dict[int, Completion]:
        """Chances of choices by forward passes over each, which is exact whatever their number of tokens."""
        reader = Reader(self.model, self.wording.tokenizer, self.wording, positions=self.wording.positions)
        turns = [Turn(prompts[i], self.wording.beginning(c)) for i, r in requests.items() for c in r.choices]
        chances = iter(np.exp(reader.read(turns).sums_S).tolist())
        return {
            i: Completion(
                "", 0, complete=True, prompt_tokens=len(prompts[i]), chances=tuple(islice(chances, len(r.choices)))
            )
            for i, r in requests.items()
        }

    def _generate(self, requests: list[Request], prompts: list[list[int]], kind: Kind) -> list[Completion]:
        import torch

        width = max(map(len, prompts))
        pad = self.wording.tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (width - len(p)) + p for p in prompts], device=self.model.device)
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=self.model.device)
        temperature, longest, top_p = kind
        sampling: dict[str, Any] = {"do_sample": False}
        if temperature > 0:
            torch.manual_seed(int(digest([[r.prompt, *r.messages, r.seed] for r in requests], length=12), 16))
            sampling = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": top_p}
        with torch.inference_mode():
            made = self.model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=longest,
                pad_token_id=pad,
                eos_token_id=list(self.wording.ends),
                use_cache=True,
                **sampling,
            )[:, width:].tolist()
        return [self.wording.said(row, r.tools) for row, r in zip(made, requests, strict=True)]

    def _forced(self, rows: list[Turn]) -> list[bool]:
        """One forward pass: does the arg-max at every answer position give the reference?"""
        import torch

        width = max(len(p) + len(a) for p, a in rows)
        pad, device = self.wording.tokenizer.pad_token_id, self.model.device
        lengths = [len(p) + len(a) for p, a in rows]
        ids = torch.tensor(
            [p + a + [pad] * (width - n) for (p, a), n in zip(rows, lengths, strict=True)], device=device
        )
        labels = torch.tensor(
            [[IGNORED] * len(p) + a + [IGNORED] * (width - n) for (p, a), n in zip(rows, lengths, strict=True)],
            device=device,
        )
        mask = torch.tensor([[1] * n + [0] * (width - n) for n in lengths], device=device)
        with torch.inference_mode():
            guesses = self.model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1].argmax(-1)
        wanted = labels[:, 1:]
        return ((guesses == wanted) | (wanted == IGNORED)).all(dim=1).tolist()


def _kind(request: Request, longest: int) -> Kind:
    """Requests of one kind may share a batch."""
    return request.temperature, longest, request.top_p


def _batches(order: Sequence[int], kinds: Sequence[Kind], size: int) -> list[list[int]]:
    """Cut an order into batches of one kind."""
    batches: list[list[int]] = []
    for i in order:
        if batches and len(batches[-1]) < size and kinds[batches[-1][0]] == kinds[i]:
            batches[-1].append(i)
        else:
            batches.append([i])
    return batches
