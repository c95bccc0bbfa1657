"""Ask an endpoint: what was answered before is taken from the store, what is new is paid for once.

An answer is handed out only when it is durable, and a session that goes on counts as paid what is stored. A call that
fails is tried again or given up as its fault says; a server that has too much to do is asked less, one that is gone
ends the session resumably.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import Any, NamedTuple

from ...memory import conventions
from ...memory.budget import Purse, Spending
from ...memory.errors import UnavailableError
from ...memory.files import canonical
from ...memory.inference import Completion, Request
from ...memory.responses import Response, Responses
from ...memory.stopping import STOP
from . import chat
from .fault import Fault
from .fleet import Fleet, Lease
from .flow import flow
from .form import misfit, repair
from .garbage import GARBAGE
from .patience import Patience
from .sharing import Sharing

MILLION = 1_000_000
STUDENT = "student"
SPARE = 1.25
"""Items under way per slot: some wait to be stored or tried again, and leave their slot to others."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms an endpoint is asked."""

    tries: int = 4
    """Calls an item may take; refusals of a busy server do not count."""
    patience: float = 600.0
    """Seconds for which a busy server may refuse an item; when it refused all others as well, the session ends."""
    pause: float = 0.5
    """Seconds before the second call; doubled each time, and drawn from half of that up."""
    longest_pause: float = 60.0
    """Seconds a server may ask to wait; when it asks for more, the session ends and can be resumed."""
    prompt_price: float = 0.0
    """US dollars per million tokens of prompts."""
    answer_price: float = 0.0
    """US dollars per million tokens of answers."""


class Outcome(NamedTuple):
    """What became of one request of a stream."""

    place: int
    """Its place in the stream that was asked, from 0."""
    completion: Completion | None
    reason: str
    """Why there is no completion; empty when there is one."""


class Client:
    """Asks one model, at one endpoint or at several that serve the same.

    Args:
        fleet: the endpoints.
        model: its name there.
        scope: what else decides the answer and is in no request, such as the revision of the weights; it is part of
            the hash under which answers are stored.
        purse: is asked before every call and pays after it.
        responses: answers of before; None stores none.
    """

    def __init__(
        self, fleet: Fleet, *, model: str, scope: str, purse: Purse, responses: Responses | None = None,
        terms: Terms | None = None,
    ) -> None:  # fmt: skip
        self.fleet, self.model, self.scope, self.purse = fleet, model, scope, purse
        self.responses = responses
        self.terms = terms or Terms()
        self._sharing = Sharing[Completion]()
        self._served = ""
        self._answered = 0.0

    async def stream(
        self, requests: Iterable[Request] | AsyncIterable[Request], *, role: str
    ) -> AsyncIterator[Outcome]:
        """Give each outcome as it comes, in no order; a request that fails is one too.

        Raises:
            UnavailableError: the endpoint is gone, refuses the key, or serves something else.
            BudgetError: a budget is spent.
            Stopped: the program was asked to end.
        """

        async def work(numbered: tuple[int, Request]) -> Outcome:
            place, request = numbered
            try:
                return Outcome(place, await self.ask(request, role=role), "")
            except Fault as fault:
                return Outcome(place, None, str(fault))

        with GARBAGE.rarely():
            async for outcome in flow(_numbered(requests), work, width=int(SPARE * self.fleet.most) + 1):
                yield outcome

    async def ask(self, request: Request, *, role: str) -> Completion:
        """Give the answer to one request; JSON that does not fit its schema gets one more turn.

        Raises:
            Fault: this request came to nothing; its reason says why.
            UnavailableError, BudgetError, Stopped: as `stream`.
        """
        completion = await self.say(request, role=role)
        if request.schema is None:
            return completion
        trouble = _trouble(completion, request.schema)
        if trouble is None:
            return completion
        again = await self.say(repair(request, completion.text, trouble), role=role)
        if (trouble := _trouble(again, request.schema)) is not None:
            raise Fault(f"the answer does not have the form asked for, nor does its repair: {trouble}", remedy="fail")
        return again

    async def say(self, request: Request, *, role: str) -> Completion:
        """Take an answer from the store or from an equal request under way, or pay for it; its form is not looked at.

        Raises:
            Fault, UnavailableError, BudgetError, Stopped: as `ask`.
        """
        body = canonical(chat.compose(request, model=self.model)).encode("utf-8", "replace")
        key = hashlib.sha256(self.scope.encode() + b"\0" + body).hexdigest()
        if self.responses is not None and (stored := self.responses.get(key)) is not None:
            return replace(chat.read(stored, samples=request.samples, choices=request.choices)[0], cached=True)
        completion, paid = await self._sharing.do(_shared(key, request), lambda: self._paid(key, body, request, role))
        return completion if paid else replace(completion, cached=True)

    async def _paid(self, key: str, body: bytes, request: Request, role: str) -> Completion:
        """Pay for an answer and store it."""
        text, completion = await self._tried(key, body, request, role)
        if self.responses is not None:
            cost = self._cost(chat.Usage(completion.prompt_tokens, completion.tokens))
            # what a student is asked is a task, and on the record
            asked = "" if role == STUDENT else self.fleet.redact(body.decode())
            await self.responses.put(Response(key, role, cost, text, asked))
        return completion

    async def _tried(self, key: str, body: bytes, request: Request, role: str) -> tuple[str, Completion]:
        """Call until it succeeds, within the patience there is for an item."""
        patience: Patience | None = None
        while True:
            STOP.heed()
            try:
                return await self._call(key, body, request, role)
            except Fault as fault:
                # a generator of its own costs as much as the rest of an item's bookkeeping, and few items need one
                patience = patience or self._patience(key)
                wait = self._borne(fault, patience)
            await asyncio.sleep(wait)

    def _patience(self, key: str) -> Patience:
        terms = self.terms
        return Patience(tries=terms.tries, pause=terms.pause, busy=terms.patience, rng=Random(key))

    def _borne(self, fault: Fault, patience: Patience) -> float:
        """Seconds to wait before the next call of an item.

        Raises:
            Fault: there is none.
            UnavailableError: nor is there one of any other item.
        """
        try:
            return patience.bear(fault, now=asyncio.get_running_loop().time(), answered=self._answered)
        except Fault as last:
            if last.remedy == "stop":
                raise self._unavailable(str(last)) from None
            raise

    async def _call(self, key: str, body: bytes, request: Request, role: str) -> tuple[str, Completion]:
        """One exchange in one slot; it is booked before the slot goes to the next, which may be one too many."""
        lease = await self.fleet.take()
        try:
            self.purse.check()
            with conventions.chat(self.model, provider="openai", role=role, answer=key) as step:
                reply = await lease.endpoint.transport.post(chat.PATH, body)
                completion, served = chat.read(
                    reply.body, samples=request.samples, choices=request.choices,
                    book=lambda usage: self.purse.pay(role, self._cost(usage)),
                )  # fmt: skip
                step.update(conventions.usage([completion]))
            self._same(served)
        except Fault as fault:
            self._learn(fault, lease)
            raise
        else:
            lease.endpoint.breaker.succeeded()
            lease.endpoint.limiter.grow()
            self._answered = asyncio.get_running_loop().time()
            return reply.body, completion
        finally:
            self.fleet.give(lease)

    def _learn(self, fault: Fault, lease: Lease) -> None:
        """Ask less of a server that is busy, and nothing of one that is broken; any other was there to answer."""
        limiter, breaker, now = lease.endpoint.limiter, lease.endpoint.breaker, asyncio.get_running_loop().time()
        if fault.remedy == "retry" and not fault.busy:
            breaker.failed(now, opened=lease.opened)
            return
        breaker.succeeded()
        if not fault.busy:
            return
        rest = limiter.cut(lease.ticket)
        limiter.pause(now + (fault.after or rest))
        if self.fleet.rest(now) > self.terms.longest_pause:
            raise self._unavailable(f"it asks to wait {self.fleet.rest(now):g} s ({fault})")

    def _same(self, served: str) -> None:
        """See that the model behind the name has not changed."""
        self._served = self._served or served
        if served != self._served:
            raise self._unavailable(f"it answered as {self._served!r} and now answers as {served!r}")

    def _cost(self, usage: chat.Usage) -> Spending:
        price = usage.prompt_tokens * self.terms.prompt_price + usage.tokens * self.terms.answer_price
        return Spending(1, *usage, price / MILLION)

    def _unavailable(self, reason: str) -> UnavailableError:
        return UnavailableError(
            f"model {self.model!r} at {self.fleet.where}: {reason}; mend that, then `evolvent resume` goes on"
        )


def _trouble(completion: Completion, schema: Any) -> str | None:
    """Say what is wrong with an answer or one of its samples."""
    samples = (completion, *completion.others)
    return next((said for one in samples if (said := misfit(one.text, schema)) is not None), None)


async def _numbered(requests: Iterable[Request] | AsyncIterable[Request]) -> AsyncIterator[tuple[int, Request]]:
    if isinstance(requests, AsyncIterable):
        index = 0
        async for request in requests:
            yield index, request
            index += 1
        return
    for index, request in enumerate(requests):
        yield index, request


def _shared(key: str, request: Request) -> str:
    """Key of work under way: the body does not say whose chances are wanted, and they are read off the reply."""
    return f"{key} {request.choices!r}" if request.choices else key
