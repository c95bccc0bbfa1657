"""Removing runs for good: only folders that are runs, in the runs folder, that nobody works on and nobody refers to.

A run is first renamed, so that a kill leaves no half of one; what such a kill left behind goes with the next removal.
"""

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...memory import files
from ...memory.errors import RunError, UsageError
from ...memory.lock import Lock
from ...memory.reading import NAME
from ...training import checkpoint, lease
from ...training.serving import host
from ..folder import RESOLVED
from ..reports.results import status, stored_session

LEFT = ".removed-"
"""Beginning of the name of a folder that is on its way out."""


class Leaving(NamedTuple):
    """A run that is to be removed."""

    path: Path
    status: str
    bytes: int
    """What removing it frees: files that another run shares stay."""

    def freed(self) -> str:
        """How much, for people."""
        return f"{self.bytes / 1e6:,.1f} MB freed"

    def line(self) -> str:
        """What it is, for people."""
        return f"{self.path}: {self.status}, {self.bytes / 1e6:,.1f} MB"

    def facts(self) -> dict[str, Any]:
        """The same for programs."""
        return {"run": self.path.name, "dir": str(self.path), "status": self.status, "bytes": self.bytes}


@contextlib.contextmanager
def held(runs: Sequence[Path], runs_dir: Path, *, force: bool) -> Generator[list[Leaving]]:
    """Lock runs that may be removed, as long as inside; nothing is changed yet.

    Args:
        runs: their folders or names; the same one twice counts once.
        runs_dir: folder that holds them.
        force: whether another run may still refer to them.

    Raises:
        UsageError: one is not in the folder, or a link, or another run refers to it.
        RunError: one is no run, or somebody works on it.
    """
    found = list(dict.fromkeys(_inside(run, runs_dir) for run in runs))
    if not force:
        _free(found, runs_dir)
    with contextlib.ExitStack() as stack:
        for path in found:
            stack.enter_context(Lock(path))
        yield [Leaving(path, _status(path), _frees(path)) for path in found]


def ask(count: int) -> None:
    """Have a person confirm.

    Raises:
        UsageError: nobody can be asked, or the answer is no.
    """
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to be asked; say --yes to remove without asking, nothing was changed")
    sys.stderr.write(f"remove {'it' if count == 1 else f'these {count} runs'} for good? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was changed")


def remove(run: Path) -> None:
    """Remove a run that is held, and end whatever a killed session of it left running."""
    host.Host(run / "serving").close()
    for left in run.glob(f"staging/*/{lease.LEASE}"):
        lease.end(left.parent)
    gone = run.with_name(f"{LEFT}{run.name}")
    shutil.rmtree(gone, ignore_errors=True)
    run.rename(gone)
    files.sync_folder(run.parent)
    for leaving in run.parent.glob(f"{LEFT}*"):
        if not leaving.is_symlink():
            shutil.rmtree(leaving)


def _inside(run: Path, runs_dir: Path) -> Path:
    """The folder of a run, if it is one and lies in the runs folder itself."""
    given = run if len(run.parts) > 1 or not (runs_dir / run).exists() else runs_dir / run
    path = Path(os.path.abspath(given))
    if given.is_symlink() or path.is_symlink():
        raise UsageError(f"{given}: is a link; name the run itself, nothing was changed")
    if not path.is_dir():
        raise RunError(f"{given}: no such run; `evolvent runs list` shows the ones there are")
    if path.resolve().parent != runs_dir.resolve() or not NAME.fullmatch(path.name):
        raise UsageError(
            f"{given}: is not in {runs_dir}; only runs there are removed, say which folder with --runs-dir"
        )
    if not (path / "session.json").is_file() or (path / "session.json").is_symlink():
        raise RunError(f"{given}: not a run of evolvent; `evolvent runs list` shows the ones there are")
    return path


def _free(leaving: Sequence[Path], runs_dir: Path) -> None:
    """Refuse to remove what a run that stays refers to."""
    for run in runs_dir.iterdir():
        if run.is_symlink() or Path(os.path.abspath(run)) in leaving or not (run / "session.json").is_file():
            continue
        for path in leaving:
            if why := _refers(run, path):
                raise UsageError(f"{path}: {run.name} {why}; remove that one too, or remove this one with --force")


def _refers(run: Path, path: Path) -> str:
    """Why a run needs another one; empty where it does not, or cannot be read."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RunError):
        origin = stored_session(run)["session"]["settings"].get("from")
        if origin and origin["session"] == _session(path):
            return "goes on from it, and where its inherited samples come from is only known here"
        if _names(json.loads((run / RESOLVED).read_text()), path):
            return "has a scenario that names files of it"
        for adapter in run.glob(f"rounds/*/model/{checkpoint.ADAPTER}"):
            if _within(json.loads(adapter.read_text()).get("base_model_name_or_path"), path):
                return "has adapters on weights of it"
    return ""


def _session(run: Path) -> str:
    from ...memory.records import Session

    return Session.model_validate(stored_session(run)["session"]).id


def _names(value: object, path: Path) -> bool:
    """Whether a place inside a folder is named anywhere in a JSON value."""
    if isinstance(value, dict):
        return any(_names(inner, path) for inner in value.values())
    if isinstance(value, list):
        return any(_names(inner, path) for inner in value)
    return _within(value, path)


def _within(value: object, path: Path) -> bool:
    return isinstance(value, str) and os.path.isabs(value) and Path(os.path.abspath(value)).is_relative_to(path)


def _status(run: Path) -> str:
    try:
        return status(run)
    except RunError:
        return "damaged"


def _frees(run: Path) -> int:
    """Bytes of the files that have no name outside the run."""
    names: dict[tuple[int, int], list[int]] = {}
    for entry in _everything(run):
        names.setdefault((entry.st_dev, entry.st_ino), [entry.st_nlink, entry.st_size]).append(1)
    return sum(size for links, size, *inside in names.values() if len(inside) >= links)


def _everything(run: Path) -> Iterator[os.stat_result]:
    for place, _, found in os.walk(run):
        for name in found:
            with contextlib.suppress(OSError):
                yield os.lstat(os.path.join(place, name))
