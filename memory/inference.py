"""What may be asked of any model, whoever serves it; implementations live in `training/engines/`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


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


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer of a model."""

    text: str
    tokens: int
    """Tokens of the answer."""
    complete: bool
    """False when it was cut at the longest length."""


class Engine(Protocol):
    """A model that answers."""

    student: str
    """Digest of the weights that answer."""

    async def answer(self, requests: Sequence[Request]) -> list[Completion]:
        """Answer requests in their order."""
        ...

    async def agrees(self, pairs: Sequence[tuple[str, str]]) -> list[bool]:
        """Say for each prompt and reference answer whether greedy decoding would give that answer."""
        ...

    def close(self) -> None:
        """Free what the model holds."""
        ...
