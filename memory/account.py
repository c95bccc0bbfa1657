"""What one session may spend on models, has spent, and was answered for it: one purse and one store for every engine.

A session opens its account, a context variable says which; an engine without one pays without limit and keeps nothing.
"""

import contextlib
import contextvars
import threading
import time
from collections.abc import Generator
from pathlib import Path

from .budget import Budget, Purse
from .responses import Responses, paid

ANSWERS = "responses.sqlite"
"""Where a run keeps what was paid for."""


class Account:
    """Purse and store of a session; what earlier processes of it paid for counts as spent.

    Args:
        path: the store of answers; it is made when the first engine asks for it.
        budget: the limits.
        seconds: wall time that earlier processes took.
        gpus: GPUs that the session holds.
    """

    def __init__(self, path: Path, budget: Budget, *, seconds: float = 0.0, gpus: int = 0) -> None:
        self.path = path
        self.purse = Purse(budget, clock=time.monotonic, spent=paid(path), seconds=seconds, gpus=gpus)
        self._responses: Responses | None = None
        self._lock = threading.Lock()

    @property
    def responses(self) -> Responses:
        """The store of answers.

        Raises:
            RunError: it cannot be read.
        """
        with self._lock:
            self._responses = self._responses or Responses(self.path)
            return self._responses

    def close(self) -> None:
        """Write what waits and release the file."""
        if self._responses is not None:
            self._responses.close()


_account: contextvars.ContextVar[Account | None] = contextvars.ContextVar("evolvent_account", default=None)


@contextlib.contextmanager
def paying(account: Account) -> Generator[Account]:
    """Let every engine that is opened inside the block pay from one account."""
    token = _account.set(account)
    try:
        yield account
    finally:
        _account.reset(token)
        account.close()


def current() -> Account | None:
    """Whose account an engine pays from, if anybody's."""
    return _account.get()
