"""Builders for tests of the client."""

import asyncio
import time
from pathlib import Path

from evolvent.memory.budget import Budget, Purse
from evolvent.memory.inference import Completion, Request
from evolvent.memory.responses import Responses
from evolvent.training.client.breaker import Breaker
from evolvent.training.client.client import Client, Outcome, Terms
from evolvent.training.client.fleet import Endpoint as Slots
from evolvent.training.client.fleet import Fleet
from evolvent.training.client.key import Key
from evolvent.training.client.limiter import Limiter
from evolvent.training.client.transport import Transport

from ...endpoint import MODEL, Endpoint

KEY = "sk-canary-0123456789"
DEADLINE = 0.5
SCHEMA = {"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]}


def make_requests(count: int) -> list[Request]:
    return [Request(f"{i}+1") for i in range(count)]


class Asked:
    """What became of a batch: outcomes, store and time."""

    def __init__(
        self, endpoint: Endpoint, requests: list[Request], folder: Path, *,
        budget: Budget | None = None, tries: int = 3, most: int = 8, breaker: Breaker | None = None,
        patience: float = 5.0,
    ) -> None:  # fmt: skip
        self.path = folder / "responses.sqlite"
        self.outcomes: list[Outcome] = []
        self.error: Exception | None = None
        self.seconds = 0.0
        self.responses = Responses(self.path)
        spent = self.responses.spending()
        self.purse = Purse(budget or Budget(), clock=time.monotonic, spent=spent)
        self.limiter = Limiter(first=most, most=most, rest=0.01, longest=0.05)
        self.breaker = breaker or Breaker()
        self.terms = Terms(tries=tries, pause=0.01, patience=patience, prompt_price=1.0, answer_price=2.0)
        self.stored = 0
        asyncio.run(self._ask(endpoint.url, requests))

    async def _ask(self, url: str, requests: list[Request]) -> None:
        transport = Transport(url, key=Key(KEY), most=self.limiter.most, deadline=DEADLINE)
        client = Client(
            Fleet([Slots(transport, self.limiter, self.breaker)]), model=MODEL, scope="test", purse=self.purse,
            responses=self.responses, terms=self.terms,
        )  # fmt: skip
        since = time.monotonic()
        try:
            async for outcome in client.stream(requests, role="teacher"):
                self.outcomes.append(outcome)
        except Exception as error:
            self.error = error
        finally:
            self.seconds = time.monotonic() - since
            await transport.close()
            self.stored = sum(s.calls for s in self.responses.spending().values())
            self.responses.close()

    @property
    def completions(self) -> list[Completion | None]:
        return [outcome.completion for outcome in sorted(self.outcomes)]

    @property
    def texts(self) -> list[str | None]:
        return [completion and completion.text for completion in self.completions]

    @property
    def reasons(self) -> str:
        return " ".join(outcome.reason for outcome in self.outcomes)
