"""How a process that trains is started: by this Python, or by a launcher such as `accelerate launch`."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from ..memory.errors import PartError

MODULE = ("-m", f"{__package__}.round")
"""What every launcher is asked to run."""


def command(launch: Sequence[str], folder: Path) -> list[str]:
    """Command line that trains in a folder.

    Raises:
        PartError: there is no such launcher.
    """
    if not launch:
        return [sys.executable, *MODULE, str(folder)]
    found = find(launch[0])
    if found is None:
        raise PartError(_missing(launch[0]))
    return [found, *launch[1:], *MODULE, str(folder)]


def refusals(launch: Sequence[str], *, allowed: bool) -> list[str]:
    """Say what is wrong with a launcher that a scenario names.

    Args:
        launch: its name and arguments; none is fine.
        allowed: whether the scenario may run code of its own.
    """
    if not launch:
        return []
    if not allowed:
        return [
            f"train.launch would run {launch[0]!r}, which a scenario may not by itself; allow it with --allow-import"
        ]
    return [] if find(launch[0]) else [_missing(launch[0])]


def find(program: str) -> str | None:
    """Whole path of a program: beside this Python, where an environment keeps its own, or in PATH."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return shutil.which(program, path=places)


def _missing(program: str) -> str:
    return (
        f"train.launch: no program {program!r} in {Path(sys.executable).parent} or PATH; "
        "install it, or name one that is there, such as 'accelerate'"
    )
