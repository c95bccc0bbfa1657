"""Which endpoint of a model a call goes to: the one with the most room, and none that rests or is left alone.

Callers wait in one queue, whoever will serve them, so that a slow endpoint holds nobody back whom another could take.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .breaker import Breaker
from .fault import Fault
from .limiter import Limiter
from .transport import Transport


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """One server, how much it is asked at once, and whether it is asked at all."""

    transport: Transport
    limiter: Limiter
    breaker: Breaker


class Lease(NamedTuple):
    """A slot of an endpoint, and how things stood when it was taken."""

    endpoint: Endpoint
    ticket: int
    """For the limiter's `cut`."""
    opened: int
    """For the breaker's `failed`."""


class Fleet:
    """Endpoints that serve the same model. Use it on one event loop.

    Args:
        endpoints: at least one.
    """

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self.endpoints = tuple(endpoints)
        self._waiting: deque[asyncio.Future[Lease]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def most(self) -> int:
        """Calls at once at most, over all endpoints."""
        return sum(endpoint.limiter.most for endpoint in self.endpoints)

    @property
    def where(self) -> str:
        """Their addresses, for messages."""
        return ", ".join(endpoint.transport.base_url for endpoint in self.endpoints)

    def redact(self, text: str) -> str:
        """Take every key out of a text."""
        for endpoint in self.endpoints:
            text = endpoint.transport.redact(text)
        return text

    def rest(self, now: float) -> float:
        """Seconds until the first endpoint that is not gone may be asked, as far as they asked for a pause."""
        return min((e.limiter.wait(now) for e in self.endpoints if not e.breaker.gone), default=0.0)

    async def take(self) -> Lease:
        """Wait for a slot, first come first served.

        Raises:
            Fault: every endpoint is gone; its remedy is `stop`.
        """
        loop = asyncio.get_running_loop()
        if not self._waiting and (lease := self._lease(loop.time())) is not None:
            return lease
        turn: asyncio.Future[Lease] = loop.create_future()
        self._waiting.append(turn)
        self._admit()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.give(turn.result())
            raise

    def give(self, lease: Lease) -> None:
        """Return a slot, and let whoever waits have what is free."""
        lease.endpoint.limiter.give()
        self._admit()

    async def close(self) -> None:
        """Close every connection."""
        if self._timer is not None:
            self._timer.cancel()
        for endpoint in self.endpoints:
            await endpoint.transport.close()

    def _admit(self) -> None:
        """Give the first in the queue what is free, and look again when something may be."""
        now = asyncio.get_running_loop().time()
        while self._waiting:
            if self._waiting[0].done():
                self._waiting.popleft()
            elif all(endpoint.breaker.gone for endpoint in self.endpoints):
                times = min(endpoint.breaker.openings for endpoint in self.endpoints)
                said = f"{times} times in a row it was left alone and did not come back"
                self._waiting.popleft().set_exception(Fault(said, remedy="stop"))
            elif (lease := self._lease(now)) is not None:
                self._waiting.popleft().set_result(lease)
            else:
                self._look_again(now)
                return

    def _lease(self, now: float) -> Lease | None:
        able = [e for e in self.endpoints if e.limiter.room > 0 and not e.breaker.gone and not e.limiter.wait(now)]
        for endpoint in sorted(able, key=lambda e: -e.limiter.room):
            if endpoint.breaker.wait(now) == 0:
                return Lease(endpoint, endpoint.limiter.take(), endpoint.breaker.opened)
        return None

    def _look_again(self, now: float) -> None:
        """Wake up when the first rest is over; a slot that is returned does so by itself."""
        rests = [max(e.limiter.wait(now), e.breaker.rests(now)) for e in self.endpoints if not e.breaker.gone]
        if self._timer is not None:
            self._timer.cancel()
        over = min((rest for rest in rests if rest > 0), default=None)
        self._timer = None if over is None else asyncio.get_running_loop().call_later(over, self._admit)
