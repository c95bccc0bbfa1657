"""Stopping on request: at once where that works, and otherwise before the next step of training or of the loop.

A signal's handler raises, but Python drops what is raised inside a `__del__` (datasets has one), so the request is
kept. It is the one state of this process, as signals are.
"""

import signal
from types import FrameType
from typing import NoReturn


class Stop:
    """A request to end the program."""

    def __init__(self) -> None:
        self.code = 0

    def __call__(self, number: int, _: FrameType | None) -> NoReturn:
        """First signal: unwind and release everything; what is committed stays. The second one kills."""
        signal.signal(number, signal.SIG_DFL)
        self.code = 128 + number
        raise SystemExit(self.code)

    def heed(self) -> None:
        """Stop now if that was asked for and somebody swallowed it."""
        if self.code:
            raise SystemExit(self.code)


STOP = Stop()
