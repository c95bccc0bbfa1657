"""Look for garbage less often while many calls are under way.

What a call holds lives as long as the call does. With hundreds under way every look for circles of references walks all
of them and finds nothing, since a call leaves no circle behind; that took a quarter of the client's own time.
"""

import contextlib
import gc
import threading
from collections.abc import Generator

RARE = 50_000
"""Containers made and not freed before the next look: more than hundreds of calls hold, and some megabytes at most."""


class Garbage:
    """How often this process looks for circles of references."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held = 0
        self._usual = gc.get_threshold()

    @contextlib.contextmanager
    def rarely(self) -> Generator[None]:
        """Look rarely until everybody has left; where nobody looks at all, that stays so."""
        with self._lock:
            if self._held == 0:
                self._usual = first, *others = gc.get_threshold()
                gc.set_threshold(max(first, RARE) if first else 0, *others)
            self._held += 1
        try:
            yield
        finally:
            with self._lock:
                self._held -= 1
                if self._held == 0:
                    gc.set_threshold(*self._usual)


GARBAGE = Garbage()
"""The one state of this process, as the collector is."""
