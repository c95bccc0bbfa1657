"""What may be asked of any model, whoever serves it; implementations live in `training/engines/`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

from .talk import Question, Talk, called, spell

Role = Literal["teacher", "judge", "scorer"]
"""What a model works as beside the student."""

Message = Mapping[str, Any]
"""One turn as the chat format has it: `role`, `content`, and what a tool call adds."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a model."""

    prompt: str
    """What the user says; the engine puts it into the model's chat template."""
    longest: int = 64
    """Tokens the answer may have."""
    temperature: float = 0.0
    """0 is greedy."""
    seed: int = 0
    """Chance of this request, when the temperature is not 0."""
    system: str = ""
    """What the model is told before the user speaks; empty for nothing."""
    messages: tuple[Message, ...] = ()
    """Turns between the system prompt and `prompt`; an empty prompt adds no turn."""
    stop: tuple[str, ...] = ()
    """Texts at which the answer ends; they are not part of it."""
    schema: Mapping[str, Any] | None = None
    """JSON Schema the answer has to follow."""
    samples: int = 1
    """Answers wanted, at least 1."""
    top_p: float = 1.0
    """Share of the probability that is drawn from, in (0, 1]."""
    tools: tuple[Mapping[str, Any], ...] = ()
    """Functions the model may call, as the chat format describes them."""
    choices: tuple[str, ...] = ()
    """Beginnings of an answer whose chances are wanted; what else is answered then does not count."""

    @classmethod
    def of(cls, question: Question, longest: int) -> "Request":
        """Ask a question, or go on with a conversation, greedily.

        Args:
            question: what is asked.
            longest: tokens the answer may have.
        """
        if isinstance(question, Talk):
            return cls("", longest, messages=question.messages, tools=question.tools)
        return cls(question, longest)

    def conversation(self) -> list[Message]:
        """Every turn the model sees, in order."""
        system = [{"role": "system", "content": self.system}] if self.system else []
        asked = [{"role": "user", "content": self.prompt}] if self.prompt or not self.messages else []
        return [*system, *self.messages, *asked]

    def extras(self) -> dict[str, object]:
        """What is asked besides prompt, longest, temperature and seed, by field."""
        filled = {
            "system": self.system, "messages": self.messages, "stop": self.stop, "tools": self.tools,
            "choices": self.choices,
        }  # fmt: skip
        return {
            **{name: value for name, value in filled.items() if value},
            **({"schema": self.schema} if self.schema is not None else {}),
            **({"samples": self.samples} if self.samples != 1 else {}),
            **({"top_p": self.top_p} if self.top_p != 1 else {}),
        }


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer of a model."""

    text: str
    tokens: int
    """Tokens of the answer and its reasoning; of all samples where several were asked for."""
    complete: bool
    """False when it was cut at the longest length, or withheld."""
    reasoning: str = ""
    """What the model thought before it answered; never part of `text`."""
    finish: str = ""
    """Why it ended, in the server's word: `stop`, `length`, `tool_calls`, `content_filter`; empty when not told."""
    prompt_tokens: int = 0
    """Tokens of what was asked; 0 when not counted."""
    calls: tuple[Mapping[str, Any], ...] = ()
    """Tools the model wants called, as the chat format has them."""
    others: tuple["Completion", ...] = ()
    """Samples after the first; their tokens are counted in the first."""
    chances: tuple[float, ...] = ()
    """Probability that an answer begins with each of the choices that were asked for, in [0, 1]; a server tells those
    of the likeliest tokens only, and any other counts as 0."""
    cached: bool = field(default=False, compare=False)
    """Taken from what was answered and paid for before. Not part of the answer: two that differ only here are equal."""

    @property
    def answer(self) -> str:
        """What it says and what it calls, as the one text that is judged and kept."""
        calls = called(self.calls)
        return f"{self.text}\n{json.dumps(self.calls)}" if calls is None else spell(self.text, calls)


CUT = Completion("", 0, complete=False, finish="length")
"""What becomes of a request that leaves a model no room for an answer."""


def require(requests: Iterable[Request], *, engine: str, takes: Sequence[str]) -> None:
    """Refuse what an engine would otherwise leave out in silence.

    Args:
        requests: what it is asked.
        engine: its name, for the message.
        takes: fields of a request that it heeds besides prompt, longest, temperature and seed.

    Raises:
        ValueError: a request sets another one.
    """
    for request in requests:
        for name, value in request.extras().items():
            if name not in takes:
                raise ValueError(
                    f"engine {engine!r} cannot heed {name} = {value!r}; use one that can, such as 'openai'"
                )


class Engine(Protocol):
    """A model that answers."""

    student: str
    """Digest of the weights that answer."""
    forced: bool
    """Whether an answer can be examined token by token, as `agrees` does, instead of being given and judged."""
    paid: bool
    """Whether whoever serves it may ask money for an answer."""

    async def answer(self, requests: Sequence[Request]) -> list[Completion]:
        """Answer requests in their order."""
        ...

    async def agrees(self, pairs: Sequence[tuple[Question, str]]) -> list[bool]:
        """Say for each prompt and reference answer whether greedy decoding would give that answer."""
        ...

    def close(self) -> None:
        """Free what the model holds."""
        ...


class Reply(NamedTuple):
    """What became of one request to a model; a failed one is data like any other."""

    completion: Completion | None
    reason: str = ""
    """Why there is no completion; empty when there is one."""


class Model(Protocol):
    """A model that works in a role; the same one through a whole session."""

    async def ask(self, requests: Sequence[Request]) -> list[Reply]:
        """Give what became of each request, in their order.

        Raises:
            UnavailableError: the model is gone.
            BudgetError: a budget is spent.
        """
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


Models = Mapping[Role, Model]
"""Who may be asked, by role."""

NOBODY: Models = MappingProxyType({})
"""No model to ask."""
