"""Stopping on request: at once where that is safe, and otherwise before the next step of whatever is going on.

An exception that a signal raises in the middle of an event loop or of a `__del__` may be dropped or may cut a write in
two, so while the graph runs a request is only kept, and heeded between two steps, two batches or two effects. The
request is the one state of this process, as signals are.
"""

import contextlib
import signal
from collections.abc import Generator
from types import FrameType


class Stopped(BaseException):
    """The program was asked to end. Not a SystemExit: asyncio tears its loop down when it meets one in a task."""

    def __init__(self, code: int) -> None:
        super().__init__(f"asked to stop by signal {code - 128}")
        self.code = code


class Stop:
    """A request to end the program."""

    def __init__(self) -> None:
        self.code = 0
        """Exit code asked for: 128 and the signal's number; 0 without a request."""
        self._deferring = False

    def __call__(self, number: int, _: FrameType | None) -> None:
        """First signal: unwind and release everything; what is committed stays. The second one kills."""
        signal.signal(number, signal.SIG_DFL)
        self.code = 128 + number
        if not self._deferring:
            self.heed()

    def heed(self) -> None:
        """Stop now if that was asked for.

        Raises:
            Stopped: it was.
        """
        if self.code:
            raise Stopped(self.code)

    @contextlib.contextmanager
    def deferred(self) -> Generator[None]:
        """Only keep a request that comes meanwhile; whoever works inside heeds it at a safe moment."""
        self._deferring = True
        try:
            yield
        finally:
            self._deferring = False


STOP = Stop()
