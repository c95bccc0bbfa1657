"""One writer per run directory: an flock whose file says who holds it.

The kernel drops the lock with its process, so a killed holder never blocks the next one and a reused pid cannot.
"""

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from .errors import RunError


def alive(pid: int) -> bool:
    """Whether a process with this id exists; an id may be used again, so this is good enough only to tell people."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class Lock:
    """Exclusive hold on a run directory, as a context manager."""

    def __init__(self, run: Path) -> None:
        self.path = run / "lock"
        self._handle: int | None = None

    def __enter__(self) -> Self:
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except IsADirectoryError:
            raise RunError(f"{self.path}: is a folder, where the lock of the run belongs; remove it") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise RunError(
                f"{self.path.parent}: process {self.holder() or 'unknown'} is writing to this run; "
                "wait for it, or stop it and try `evolvent resume` again"
            ) from None
        os.ftruncate(handle, 0)
        os.write(handle, json.dumps({"pid": os.getpid()}).encode())
        self._handle = handle
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def holder(self) -> int | None:
        """Pid written by the last holder, if it can be read."""
        try:
            return int(json.loads(self.path.read_text())["pid"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
