"""The folder a bundle goes to: replaced as a whole, and only if it holds a bundle and nothing else."""

import contextlib
import json
import os
import shutil
from collections.abc import Generator
from pathlib import Path

from ..errors import UsageError
from ..reading import Run

LIST = "bundle.json"
"""Names every file of a bundle; written last."""


@contextlib.contextmanager
def replaced(folder: Path, run: Run) -> Generator[Path]:
    """Give an empty folder to fill, which takes the place of `folder` if nothing goes wrong.

    Raises:
        UsageError: the folder is a link, holds anything but a bundle, lies in the run, or cannot be written.
    """
    _check(folder, run)
    staging, old = (folder.with_name(f".{folder.name}.{os.getpid()}.{end}") for end in ("new", "old"))
    try:
        staging.mkdir(parents=True)
        yield staging
        names = sorted(p.relative_to(staging).as_posix() for p in staging.rglob("*") if p.is_file())
        (staging / LIST).write_text(json.dumps({"files": names}, indent=1) + "\n")
        if folder.exists():
            folder.replace(old)
        staging.replace(folder)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written ({error.strerror or error}); choose another folder") from None
    finally:
        for path in (staging, old):
            shutil.rmtree(path, ignore_errors=True)


def _check(folder: Path, run: Run) -> None:
    if not folder.name or folder.name == "..":
        raise UsageError(f"{str(folder)!r} names no folder of its own; choose another, say bundle")
    if folder.is_symlink():
        raise UsageError(f"{folder} is a link; name the folder that it leads to")
    if folder.resolve().is_relative_to(run.path.resolve()):
        raise UsageError(f"{folder} lies in the run; choose a folder outside it")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder} is a file; choose a folder")
    if foreign := _foreign(folder):
        raise UsageError(
            f"{folder} holds {foreign!r}, which is not of a bundle; choose another folder, or an empty one"
        )


def _foreign(folder: Path) -> str | None:
    """Something in a folder that no bundle left there."""
    # a folder of one's own goes in `listed` as well, so that an empty one that somebody made counts as foreign
    listed = _listed(folder / LIST)
    listed |= {parent.as_posix() for name in listed for parent in Path(name).parents}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or name not in listed:
            return name
    return None


def _listed(path: Path) -> set[str]:
    try:
        found = [] if path.is_symlink() else json.loads(path.read_text())["files"]
        return {str(name) for name in found} | {LIST}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()
