"""How many calls may be under way at once: more while the server keeps up, half as many when it does not.

Additive increase, multiplicative decrease (Chiu and Jain 1989, https://doi.org/10.1016/0169-7552(89)90019-6). Up to
the first sign of too much the limit doubles per wave of calls, as TCP's slow start does; from then on it grows by one.
"""

import asyncio
from collections import deque

CUT = 0.5


class Limiter:
    """A number of slots that adapts.

    Args:
        first: calls at once in the beginning.
        most: never more than this.
        rest: seconds without a call after a refusal; doubled by every wave of them in a row, up to `longest`.
        longest: seconds.
    """

    def __init__(self, *, first: int, most: int, rest: float = 0.5, longest: float = 30.0) -> None:
        self.limit = float(min(first, most))
        self.most, self.rest, self.longest = most, rest, longest
        self.busy = 0
        """Slots taken."""
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._threshold = float(most)
        self._cuts = 0
        self._next = rest
        self._until = 0.0

    async def take(self) -> int:
        """Wait for a slot and for the end of a pause; give a ticket for `cut`."""
        if self.busy >= int(self.limit) or self._waiting:
            await self._queue()
        else:
            self.busy += 1
        try:
            await self._rest()
        except asyncio.CancelledError:
            self.give()
            raise
        return self._cuts

    async def _rest(self) -> None:
        """Wait for the end of a pause, which may grow meanwhile."""
        while (wait := self._until - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(wait)

    async def _queue(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give()
            raise

    def give(self) -> None:
        """Return a slot, and let whoever waits have what is free."""
        self.busy -= 1
        self._admit()

    def grow(self) -> None:
        """A call went well: allow more, unless the limit was not what held calls back."""
        self._next = self.rest
        if self.busy >= int(self.limit) and self.limit < self.most:
            self.limit = min(self.most, self.limit + (1 if self.limit < self._threshold else 1 / self.limit))
            self._admit()

    def cut(self, ticket: int) -> float:
        """A call met a server with too much to do: allow half, and give the seconds to rest.

        Calls begun before the last cut do not count; their rest is 0.
        """
        if ticket != self._cuts:
            return 0.0
        self._cuts += 1
        self.limit = self._threshold = max(1.0, self.limit * CUT)
        rest, self._next = self._next, min(self.longest, 2 * self._next)
        return rest

    def pause(self, seconds: float) -> None:
        """Begin no call for this long."""
        self._until = max(self._until, asyncio.get_running_loop().time() + seconds)

    def _admit(self) -> None:
        while self._waiting and self.busy < int(self.limit):
            turn = self._waiting.popleft()
            if not turn.done():
                self.busy += 1
                turn.set_result(None)
