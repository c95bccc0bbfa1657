"""One writer per run directory: an flock whose file says who holds it.

The kernel drops the lock with its process, so a killed holder never blocks the next one and a reused pid cannot.
"""

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

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


def started(pid: int) -> int | None:
    """When a process began, in clock ticks after the machine's start; None for one that ended, or without `/proc`."""
    try:
        # the name in parentheses may hold anything, so fields count from its end
        fields = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
        return None if fields[0] in "ZX" else int(fields[19])
    except (OSError, ValueError, IndexError):
        return None


class Writer(NamedTuple):
    """The process that locked a run last, told apart from a later one with the same id."""

    pid: int
    started: int | None

    @property
    def runs(self) -> bool:
        """Whether that very process still runs; where nobody can tell, no."""
        return self.started is not None and started(self.pid) == self.started


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
        pid = os.getpid()
        os.write(handle, json.dumps({"pid": pid, "started": started(pid)}).encode())
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
        writer = self.writer()
        return writer and writer.pid

    def writer(self) -> Writer | None:
        """The last holder, if it can be read."""
        try:
            found = json.loads(self.path.read_text())
            since = found.get("started")
            return Writer(int(found["pid"]), None if since is None else int(since))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
