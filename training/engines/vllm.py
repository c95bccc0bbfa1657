"""A real vLLM server, one for all students of a session: started on this machine, or at a URL.

Token ids go in, rendered with the student's own chat template, so the server sees exactly what the in-process engine
sees; many prompts share a request. Whether greedy decoding would give a reference is found by decoding.
"""

import asyncio
import math
import tempfile
from collections.abc import Coroutine, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import AfterValidator, Field

from ...memory import conventions
from ...memory.files import digest
from ...memory.finding import Finding
from ...memory.inference import CUT, Completion, Engine, Request, require
from ...memory.stopping import STOP
from ...memory.talk import Question
from ...memory.trace import span, spent
from ...scenarios.schema import Student
from ..engine import EnginePart
from ..serving import looking
from ..serving.arguments import check
from ..serving.host import Host, current
from ..serving.launch import Launch, installed_build
from ..serving.remote import Remote
from ..serving.server import Server
from ..serving.weights import Weights, read
from ..serving.wire import Wire
from ..wording import Wording

ROLE = "student"
LONGEST = "--max-model-len="
LIKELIEST = 20
"""Tokens of which vLLM tells the probability, unless it is told to tell more."""
T = TypeVar("T")


class Vllm(EnginePart):
    """Answer with vLLM."""

    url: str = ""
    """Server of your own, such as `http://localhost:8000` or `unix:/path/of/its/socket`; empty to have one started."""
    batch: int = Field(default=128, ge=1)
    """Prompts per HTTP request."""
    parallel: int = Field(default=2, ge=1)
    """HTTP requests under way at a time."""
    deadline: float = Field(default=600.0, gt=0, allow_inf_nan=False)
    """Wall-clock seconds an HTTP request may take."""
    dtype: Literal["float32", "bfloat16", "float16", "auto"] = "float32"
    """What the server computes in; `float32` answers like the in-process engine."""
    threads: int = Field(default=1, ge=1)
    """CPU threads of a started server."""
    cache: int = Field(default=1, ge=1)
    """GiB a started server keeps for keys and values, on a CPU."""
    share: float = Field(default=0.4, gt=0, le=1)
    """Share of a GPU's memory a started server may take."""
    rank: int = Field(default=0, ge=0)
    """Largest rank of LoRA adapters a started server takes; 0 for full weights only."""
    start: float = Field(default=300.0, gt=0, allow_inf_nan=False)
    """Seconds a started server may take to come up."""
    sleep: bool = Field(default=False, exclude_if=lambda sleep: not sleep)
    """Whether a started server gives its GPU memory to a round that trains, and takes it back afterwards."""
    arguments: Annotated[tuple[str, ...], AfterValidator(check)] = ()
    """More of vLLM's own arguments for a started server, such as `--max-model-len=4096`; none that Evolvent sets."""

    @property
    def longest(self) -> int:
        """Tokens of a conversation that the arguments set; 0 where the model says."""
        told = [a.partition("=")[2] for a in self.arguments if a.replace("_", "-").startswith(LONGEST)]
        return int(told[-1]) if told and told[-1].isdigit() else 0

    def open(self, checkpoint: Path) -> Engine:
        """Serve a checkpoint; the server starts, or swaps weights, when it is first asked."""
        weights = read(checkpoint)
        exits = ExitStack()
        server = self._elsewhere() if self.url else self._started(weights, exits)
        return _Served(self, server, weights, exits)

    def look(self, role: str, student: Student, *, rank: int) -> list[Finding]:
        """See whether the server could be started, or the one at the URL has what rounds need."""
        del role
        if self.url:
            return asyncio.run(looking.elsewhere(self.url, rank=rank))
        return looking.here(student, rank=rank, room=self.rank)

    def _elsewhere(self) -> Remote:
        host = current()
        return Remote(self.url, self.dtype) if host is None else host.remote(self.url, self.dtype)

    def _started(self, weights: Weights, exits: ExitStack) -> Server:
        launch = Launch(
            build=installed_build(),
            dtype=self.dtype,
            threads=self.threads,
            cache=self.cache,
            share=self.share,
            rank=self.rank,
            arguments=self.arguments,
            start=self.start,
            sleep=self.sleep,
        )
        launch.check(weights)
        host = current()
        if host is None:
            host = Host(Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="evolvent-"))))
            exits.callback(host.close)
        return host.server(ROLE, launch)


class _Row(NamedTuple):
    """One line of a request, and with what it may share it."""

    tokens: list[int]
    longest: int
    temperature: float = 0.0
    seed: int = 0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    weighed: bool = False
    """Whether the probabilities of its likeliest first tokens are wanted."""

    @property
    def kind(self) -> tuple[int, float, int, float, tuple[str, ...], bool]:
        """What rows of one request have in common."""
        return self.longest, self.temperature, self.seed, self.top_p, self.stop, self.weighed


class _Served:
    paid = False

    def __init__(self, settings: Vllm, server: Server | Remote, weights: Weights, exits: ExitStack) -> None:
        self.settings = settings
        self.student = weights.digest
        self._server = server
        self._weights = weights
        self._wording = Wording.read(weights.base)
        self.forced = self._wording.forced
        self._exits = exits

    def close(self) -> None:
        self._exits.close()

    async def answer(self, requests: Sequence[Request]) -> list[Completion]:
        require(requests, engine="vllm", takes=("system", "messages", "top_p", "stop", "choices", *self._wording.heeds))
        with spent("inference"), conventions.chat(self.student, provider="vllm", requests=len(requests)) as step:
            rows = [self._row(request) for request in requests]
            whole = [i for i, row in enumerate(rows) if row.longest > 0]
            choices = dict(zip(whole, await self._ask([rows[i] for i in whole]), strict=True))
            answers = [
                self._completion(choices[i], request) if i in choices else CUT for i, request in enumerate(requests)
            ]
            step.update(conventions.usage(answers))
            return answers

    async def agrees(self, pairs: Sequence[tuple[Question, str]]) -> list[bool]:
        with spent("inference"), span("agree", requests=len(pairs), student=self.student):
            turns = self._wording.turns(pairs)
            # not by `prompt_logprobs`: asked for them, a server with room for adapters dies
            choices = await self._ask([_Row(turn.prompt, len(turn.answer)) for turn in turns])
            return [choice["token_ids"] == turn.answer for choice, turn in zip(choices, turns, strict=True)]

    def _row(self, request: Request) -> _Row:
        prompt = self._wording.prompt(request.conversation(), request.tools)
        longest = self._wording.room(prompt, request.longest)
        if request.choices:
            return _Row(prompt, min(1, longest), weighed=True)
        # a text that ends an answer may stand in the reasoning before it
        stop = (*request.stop, *(() if self._wording.manner.reasoning else self._wording.stops))
        if request.temperature == 0:
            return _Row(prompt, longest, stop=stop)
        # one seed serves a whole HTTP request, so every sampled prompt is a request of its own
        seed = int(digest([request.prompt, *request.messages, request.seed], length=12), 16)
        return _Row(prompt, longest, request.temperature, seed, request.top_p, stop)

    async def _ask(self, rows: Sequence[_Row]) -> list[dict[str, Any]]:
        """Send rows, those of one kind together, and give vLLM's choices in the order of the rows."""
        if not rows:
            return []
        batches = _batches(rows, self.settings.batch)
        gate = asyncio.Semaphore(self.settings.parallel)
        async with self._server.serving(self._weights) as (wire, model):
            sent = [self._send(wire, model, [rows[i] for i in indices], gate) for indices in batches]
            found = await _together(sent)
        choices = {
            i: c for indices, made in zip(batches, found, strict=True) for i, c in zip(indices, made, strict=True)
        }
        return [choices[i] for i in range(len(rows))]

    async def _send(self, wire: Wire, model: str, rows: list[_Row], gate: asyncio.Semaphore) -> list[dict[str, Any]]:
        first = rows[0]
        body: dict[str, Any] = {
            "model": model,
            "prompt": [row.tokens for row in rows],
            "max_tokens": first.longest,
            "temperature": first.temperature,
            "top_p": first.top_p,
            "seed": first.seed,
            "stop": list(first.stop),
            "stop_token_ids": list(self._wording.ends),
            "return_token_ids": True,
            **({"logprobs": LIKELIEST, "return_tokens_as_token_ids": True} if first.weighed else {}),
        }
        async with gate:
            STOP.heed()
            said = await wire.post("/v1/completions", body, seconds=self.settings.deadline)
        return sorted(said["choices"], key=lambda choice: choice["index"])

    def _single(self, choice: str) -> int:
        """The token that a choice is.

        Raises:
            ValueError: it is several.
        """
        tokens = self._wording.beginning(choice)
        if len(tokens) > 1:
            raise ValueError(
                f"engine 'vllm' weighs choices of one token; {choice!r} has {len(tokens)}; use 'transformers'"
            )
        return tokens[0]

    def _completion(self, choice: dict[str, Any], request: Request) -> Completion:
        if request.choices:
            told: dict[str, float] = choice["logprobs"]["top_logprobs"][0]
            tokens = [f"token_id:{self._single(text)}" for text in request.choices]
            return Completion("", 1, complete=True, chances=tuple(math.exp(told.get(t, -math.inf)) for t in tokens))
        said = self._wording.said(choice["token_ids"], request.tools)
        cut = min((at for at in map(said.text.find, request.stop) if at >= 0), default=None)
        return replace(said, text=said.text[:cut], complete=said.complete or cut is not None)


def _batches(rows: Sequence[_Row], size: int) -> list[list[int]]:
    """Cut rows into batches of one kind, the shortest first: their answers tend to end together."""
    batches: list[list[int]] = []
    for i in sorted(range(len(rows)), key=lambda i: (*rows[i].kind, len(rows[i].tokens))):
        if batches and len(batches[-1]) < size and rows[batches[-1][0]].kind == rows[i].kind:
            batches[-1].append(i)
        else:
            batches.append([i])
    return batches


async def _together(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Wait for all; when one fails the others end before it is told."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
