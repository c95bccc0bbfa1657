"""Where a started server is reached: a Unix socket in a folder that only its user may enter.

The routes that swap weights run code for whoever reaches them. A port on the loopback interface is reached by every
user of the machine and by every web page open in a browser there; a socket in a folder of mode 0700 by neither.
"""

import contextlib
import tempfile
from pathlib import Path

from ...memory.errors import UnavailableError

SCHEME = "unix:"
"""How a URL begins that is a socket's path."""
NAME = "socket"
LONGEST = 107
"""Bytes a socket's path may have."""


def new() -> str:
    """Make a folder of its own for a socket and give the URL; it is short, and so not in the run.

    Raises:
        UnavailableError: the machine's folder for temporary files has too long a name.
    """
    folder = Path(tempfile.mkdtemp(prefix="evolvent-"))
    path = folder / NAME
    if len(bytes(path)) > LONGEST:
        folder.rmdir()
        raise UnavailableError(f"{str(path)!r} is longer than a socket's {LONGEST} bytes; set TMPDIR to a shorter one")
    return f"{SCHEME}{path}"


def is_socket(url: str) -> bool:
    """Whether a URL names a socket."""
    return url.startswith(SCHEME)


def path_of(url: str) -> Path:
    """Where the socket is that a URL names."""
    return Path(url.removeprefix(SCHEME))


def remove(url: str) -> None:
    """Remove a socket and its folder; what else lies there stays."""
    path = path_of(url)
    if not is_socket(url) or path.name != NAME:
        return
    with contextlib.suppress(OSError):
        if path.is_socket():
            path.unlink()
        path.parent.rmdir()
