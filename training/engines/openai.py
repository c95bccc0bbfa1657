"""Any OpenAI-compatible endpoint, local or remote.

What the endpoint serves is what answers: the checkpoint given to `open` is not loaded anywhere. Agreement with a
reference is decided by generating, since few endpoints give the probabilities of a text they did not write.
"""

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from ...memory import account
from ...memory.budget import Budget, Purse
from ...memory.errors import UnavailableError
from ...memory.files import digest
from ...memory.finding import Finding
from ...memory.inference import Completion, Engine, Model, Reply, Request, Role
from ...memory.responses import Responses
from ...memory.talk import Question
from ...memory.trace import span, spent
from ...scenarios.schema import Student
from ..engine import EnginePart

if TYPE_CHECKING:
    from ..client.client import Client, Outcome, Terms
    from ..client.fleet import Endpoint
    from ..client.loop import Loop

ADDRESS = re.compile(r"https?://[^/@\s?#]+(/[^\s?#]*)?")
SLACK = 8
"""Tokens an answer may have beyond one per byte of the reference, to show that it goes on."""
ROLE = "student"
UNBOUND = (ROLE, "scorer")
"""Roles that ask for no JSON."""
PATIENCE = 600.0
HASTE = 10.0
"""Seconds a call may take when it is only looked whether the endpoint works."""


def _addresses(given: str | tuple[str, ...]) -> str | tuple[str, ...]:
    """Refuse what is no address, or holds what belongs elsewhere: a key, or a query that no path can follow."""
    for one in (given,) if isinstance(given, str) else given:
        if not ADDRESS.fullmatch(one):
            raise ValueError(
                f"{one!r} is no address of an endpoint; write http:// or https://, a host and a path, without user, "
                "query and fragment, such as 'http://localhost:8000/v1'"
            )
    return given


class OpenAI(EnginePart):
    """Ask an endpoint."""

    serves = False

    base_url: Annotated[str | Annotated[tuple[str, ...], Field(min_length=1)], AfterValidator(_addresses)]
    """Where it is, with its version: `http://localhost:8000/v1`; a list where several serve the same model."""
    model: str = Field(min_length=1)
    """Name under which it serves the model."""
    key: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Name of the environment variable that holds the key; never the key."""
    revision: str = ""
    """What tells the weights apart that are served under one name."""
    structured: bool = False
    """Refuse an endpoint on which a JSON schema does not bind."""
    deadline: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    """Seconds one call may take, whatever the server does."""
    tries: int = Field(default=4, ge=1)
    """Calls a request may take."""
    patience: float = Field(default=PATIENCE, gt=0, allow_inf_nan=False, exclude_if=lambda wait: wait == PATIENCE)
    """Seconds for which a server may refuse a request because it is busy."""
    first: int = Field(default=32, ge=1)
    """Calls at once in the beginning, of each address; the number then follows what the server can take."""
    most: int = Field(default=320, ge=1)
    """Calls at once at most, of each address."""
    prompt_price: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """US dollars per million tokens asked."""
    answer_price: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """US dollars per million tokens answered."""

    @property
    def urls(self) -> tuple[str, ...]:
        """Every address."""
        return (self.base_url,) if isinstance(self.base_url, str) else self.base_url

    @property
    def priced(self) -> bool:
        """Whether a price is set."""
        return self.prompt_price > 0 or self.answer_price > 0

    def open(self, checkpoint: Path) -> Engine:
        """Connect and prove that the endpoint answers; the checkpoint is not looked at.

        Raises:
            UnavailableError: it does not.
        """
        del checkpoint
        return self._connected(ROLE)

    def serve(self, role: Role) -> Model:
        """Connect for a role that asks for JSON, or as scorer for probabilities; see `open`."""
        return self.model_copy(update={"structured": self.structured or role not in UNBOUND})._connected(role)

    def look(self, role: str, student: Student, *, rank: int) -> list[Finding]:
        """See whether the endpoint answers, and whether a schema binds where the role needs one."""
        del student, rank
        hasty = self.model_copy(update={"tries": 1, "deadline": min(self.deadline, HASTE), "structured": False})
        found = [hasty._tried(f"endpoint {role}", f"{self.base_url} answers as model {self.model!r}")]
        if found[0].level == "ok" and (self.structured or role not in UNBOUND):
            strict = hasty.model_copy(update={"structured": True})
            found.append(strict._tried(f"schema {role}", "a JSON schema binds"))
        return found

    def _tried(self, about: str, good: str) -> Finding:
        try:
            self._connected(ROLE).close()
        except UnavailableError as error:
            return Finding.of_error(about, error)
        return Finding(about, "ok", good)

    def connect(self, purse: Purse, responses: Responses | None = None, *, role: str = ROLE) -> "_Endpoint":
        """Connect with a budget and a store of answers; see `open`."""
        from ..client.loop import Loop

        with spent("start-up"):
            loop = Loop()
            try:
                return _Endpoint(self, loop, loop.run(self._client(purse, responses)), role)
            except BaseException:
                loop.close()
                raise

    def _connected(self, role: str) -> "_Endpoint":
        """Connect with the account of the session; without one, with no limit and no store."""
        own = account.current()
        if own is None:
            return self.connect(Purse(Budget(), clock=time.monotonic), role=role)
        return self.connect(own.purse, own.responses, role=role)

    async def _client(self, purse: Purse, responses: Responses | None) -> "Client":
        from ..client.client import Client, Terms
        from ..client.fleet import Fleet

        terms = Terms(
            tries=self.tries, patience=self.patience, prompt_price=self.prompt_price, answer_price=self.answer_price
        )  # fmt: skip
        endpoints: list[Endpoint] = []
        try:
            for url in self.urls:
                endpoints.append(await self._greeted(url, terms))
        except BaseException:
            await Fleet(endpoints).close()
            raise
        return Client(
            Fleet(endpoints), model=self.model, scope=self.identity(), purse=purse, responses=responses, terms=terms
        )

    async def _greeted(self, url: str, terms: "Terms") -> "Endpoint":
        from ..client.breaker import Breaker
        from ..client.fleet import Endpoint
        from ..client.greeting import greet
        from ..client.key import Key
        from ..client.limiter import Limiter
        from ..client.transport import Transport

        transport = Transport(url, key=Key.read(self.key), most=self.most, deadline=self.deadline)
        try:
            await greet(transport, model=self.model, structured=self.structured, terms=terms)
        except BaseException:
            await transport.close()
            raise
        return Endpoint(transport, Limiter(first=self.first, most=self.most), Breaker())

    def identity(self) -> str:
        """Digest of what decides an answer besides the request."""
        return digest(["openai", self.base_url, self.model, self.revision])


class _Endpoint:
    forced = True
    paid = True

    def __init__(self, settings: OpenAI, loop: "Loop", client: "Client", role: str) -> None:
        self.settings = settings
        self.student = settings.identity()
        self._loop = loop
        self._client = client
        self._role = role

    def close(self) -> None:
        self._loop.run(self._client.fleet.close())
        self._loop.close()

    async def answer(self, requests: Sequence[Request]) -> list[Completion]:
        """Answers in order; an exam with a hole in it would count the hole as a wrong answer, so none is given."""
        replies = await self._asked(requests)
        lost = [reply.reason for reply in replies if reply.completion is None]
        if lost:
            raise UnavailableError(
                f"model {self.settings.model!r} at {self._client.fleet.where} gave no answer to {len(lost)} of "
                f"{len(requests)} requests, the first because: {lost[0]}; mend that, then `evolvent resume` goes on"
            )
        return [reply.completion for reply in replies if reply.completion is not None]

    async def agrees(self, pairs: Sequence[tuple[Question, str]]) -> list[bool]:
        asked = [Request.of(question, len(answer.encode()) + SLACK) for question, answer in pairs]
        said = await self.answer(asked)
        return [c.complete and c.answer == answer for c, (_, answer) in zip(said, pairs, strict=True)]

    async def ask(self, requests: Sequence[Request]) -> list[Reply]:
        """What became of each request; where one came to nothing, the endpoint has to show that it can answer.

        Raises:
            UnavailableError: it cannot. Then nothing is passed on as failed, and what was answered is stored.
        """
        replies = await self._asked(requests)
        lost = [reply.reason for reply in replies if reply.completion is None]
        if lost:
            why = f"{len(lost)} of {len(replies)} requests came to nothing, the first because: {lost[0]}"
            await self._loop.join(self._well(why))
        return replies

    async def _asked(self, requests: Sequence[Request]) -> list[Reply]:
        with spent("inference"), span("answer", requests=len(requests), role=self._role, student=self.student):
            outcomes = await self._loop.join(self._outcomes(requests))
            return [Reply(outcome.completion, outcome.reason) for outcome in outcomes]

    async def _outcomes(self, requests: Sequence[Request]) -> "list[Outcome]":
        """What became of each request, in their order."""
        found = [outcome async for outcome in self._client.stream(requests, role=self._role)]
        return sorted(found, key=lambda outcome: outcome.place)

    async def _well(self, why: str) -> None:
        """See that an endpoint answers a greeting.

        Raises:
            UnavailableError: none does.
        """
        from ..client.greeting import greet

        model, structured, terms = self.settings.model, self.settings.structured, self._client.terms
        refusals: list[str] = []
        for endpoint in self._client.fleet.endpoints:
            try:
                await greet(endpoint.transport, model=model, structured=structured, terms=terms)
            except UnavailableError as error:
                refusals.append(str(error))
            else:
                return
        raise UnavailableError(f"{why}; and {'; '.join(refusals)}; mend that, then `evolvent resume` goes on")
