"""A time within which work has to end, whatever it waits for: wall-clock time around the whole of it.

All work has the same time, so it runs out in the order in which it began, and one timer watches over what began first.
A timer for each would cost about as much as sending a request.
"""

import asyncio
from types import TracebackType
from typing import Self


class Deadline:
    """Ends what takes too long. Use it on one event loop.

    Args:
        seconds: that work may take.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        # a dict, because work leaves from the middle and the first has to be found
        self._running: dict[Turn, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def turn(self) -> "Turn":
        """Give a context for one piece of work; it raises TimeoutError when the work took too long."""
        return Turn(self)

    def begin(self, turn: "Turn") -> None:
        """Watch over work that begins."""
        loop = asyncio.get_running_loop()
        turn.until = loop.time() + self.seconds
        self._running[turn] = None
        if self._timer is None:
            self._timer = loop.call_at(turn.until, self._look)

    def end(self, turn: "Turn") -> None:
        """Let go of work that ended."""
        self._running.pop(turn, None)

    def close(self) -> None:
        """Take the timer off the loop."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """End what is over, and come back for what began first among the rest."""
        loop, self._timer = asyncio.get_running_loop(), None
        while (turn := next(iter(self._running), None)) is not None:
            if turn.until > loop.time():
                self._timer = loop.call_at(turn.until, self._look)
                return
            self.end(turn)
            turn.expire()


class Turn:
    """One piece of work, in the task that entered; the way `asyncio.timeout` ends it."""

    __slots__ = ("_cancelling", "_deadline", "_expired", "_task", "until")

    def __init__(self, deadline: Deadline) -> None:
        self.until = 0.0
        """When it has to be over, of the loop's clock."""
        self._deadline = deadline
        self._expired = False

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None
        self._task, self._cancelling = task, task.cancelling()
        self._deadline.begin(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._expired:
            self._deadline.end(self)
        # somebody else may have cancelled the task as well, and then it stays cancelled
        elif self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def expire(self) -> None:
        """Interrupt the work."""
        self._expired = True
        self._task.cancel()
