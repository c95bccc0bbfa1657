"""A child process that outlives its parent: in a process group of its own, and found again by pid and start time.

The child notes down who it is before it becomes the program it runs, so that a parent killed in between leaves nothing
that cannot be found. Who is alive is read from `/proc`; where there is none, nobody is found again.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ...memory.errors import UnavailableError
from ...memory.stopping import STOP

SHELL = "/bin/sh"
GRACE = 10.0
"""Seconds a process group has to end by itself before it is killed."""
LOOK = 0.1
"""Seconds between two looks at a child that works for long."""
PAUSE = 0.02
"""Seconds between two looks at one that starts or ends."""
# the note is whole or not there; the process keeps pid and start time across exec
_NOTE_AND_BECOME = 'cat /proc/$$/stat > "$0.tmp" && mv "$0.tmp" "$0" && exec "$@"'


class Identity(NamedTuple):
    """One process, told apart from a later one with the same id."""

    pid: int
    started: int
    """Clock ticks after the machine's start."""


def spawn(command: Sequence[str], note: Path, log: Path, environment: Mapping[str, str]) -> Identity:
    """Start a program in a new process group.

    Args:
        command: program, with its whole path, and arguments.
        note: file that says who the child is, for `read`.
        log: file its output is added to.
        environment: all variables it sees.

    Raises:
        UnavailableError: the note could not be written.
    """
    note.unlink(missing_ok=True)
    pid = os.posix_spawn(
        SHELL,
        [SHELL, "-c", _NOTE_AND_BECOME, str(note), *command],
        dict(environment),
        setsid=True,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
    )
    while (child := read(note)) is None:
        if not members(pid):
            _collect(pid)
            # it may have noted itself down and ended between the two looks
            if (child := read(note)) is not None:
                break
            raise UnavailableError(f"{note.parent}: a process cannot note down who it is; is the disk full? see {log}")
        time.sleep(PAUSE)
    return child


def read(note: Path) -> Identity | None:
    """Who a note is about, or None if there is none or it is unreadable."""
    try:
        return _parse(note.read_text()).identity
    except (OSError, ValueError, IndexError):
        return None


def alive(child: Identity) -> bool:
    """Whether that very process still runs."""
    found = _look(child.pid)
    return found is not None and found.identity == child and found.runs


def survivor(note: Path) -> Identity | None:
    """The process that a note is about, if it still runs; what one that died leaves running is ended."""
    child = read(note)
    if child is None or alive(child):
        return child
    stop(child)
    return None


async def ended(child: Identity) -> None:
    """Wait until a child has ended; whatever ends the wait ends the child with its whole group."""
    try:
        while alive(child):
            STOP.heed()
            await asyncio.sleep(LOOK)
    finally:
        stop(child)


def members(group: int) -> list[int]:
    """Pids of the processes of a group that run; what has ended and only waits to be collected does not."""
    return [found.identity.pid for found in _everybody() if found.group == group and found.runs]


def stop(child: Identity, *, grace: float = GRACE) -> None:
    """End a child's whole process group: asked first, killed after `grace` seconds.

    Nothing is done when the child's id was given to another process meanwhile.
    """
    found = _look(child.pid)
    if found is not None and found.identity != child:
        return
    _send(child.pid, signal.SIGTERM)
    if not _gone(child.pid, grace):
        _send(child.pid, signal.SIGKILL)
        _gone(child.pid, grace)
    _collect(child.pid)


def _collect(pid: int) -> None:
    """Let the kernel forget an ended child; one that was adopted is not ours to collect."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _gone(group: int, seconds: float) -> bool:
    """Wait for a group to end."""
    until = time.monotonic() + seconds
    while members(group):
        if time.monotonic() > until:
            return False
        time.sleep(PAUSE)
    return True


def _send(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


class _Found(NamedTuple):
    identity: Identity
    group: int
    runs: bool


def _parse(stat: str) -> _Found:
    """Read a line of `/proc/<pid>/stat`; the name in parentheses may hold anything, so fields count from its end."""
    pid, _, rest = stat.partition(" ")
    fields = rest.rpartition(")")[2].split()
    return _Found(Identity(int(pid), int(fields[19])), int(fields[2]), fields[0] not in "ZX")


def _look(pid: int) -> _Found | None:
    try:
        return _parse(Path("/proc", str(pid), "stat").read_text())
    except (OSError, ValueError, IndexError):
        return None


def _everybody() -> Iterator[_Found]:
    for entry in Path("/proc").glob("[0-9]*"):
        found = _look(int(entry.name))
        if found is not None:
            yield found
