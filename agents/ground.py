"""Where runs go: whether a run could be made there, found out without leaving anything behind."""

import errno
import os
import shutil
import tempfile
from pathlib import Path

from ..memory.errors import RunError


def check(runs: Path, wanted: int, *, instead: str = "choose another folder with --runs-dir") -> int:
    """Try the folder for runs, or the nearest one above it that exists, and give the bytes that are free there.

    Args:
        runs: folder for runs; need not exist.
        wanted: bytes that a run will take.
        instead: the way out where it cannot be written.

    Raises:
        RunError: the folder cannot be made or written, or its disk has not enough room.
    """
    place = runs.absolute()
    while not os.path.lexists(place):
        place = place.parent
    try:
        if not place.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        with tempfile.TemporaryDirectory(prefix=".evolvent-", dir=place) as trial:
            (Path(trial) / "file").write_bytes(b"written")
        free = shutil.disk_usage(place).free
    except OSError as error:
        raise RunError(f"{runs}: cannot be written ({error.strerror}); {instead}") from None
    if free < wanted:
        raise RunError(
            f"{runs}: {free / 1e6:,.0f} MB are free, a session of this scenario takes about {wanted / 1e6:,.0f} MB; "
            f"make room, or {instead}"
        )
    return free
