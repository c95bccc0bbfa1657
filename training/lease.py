"""A round of training in a process of its own, under a lease: whoever comes back finds the process, or its result.

The lease is a file in the round's working folder that says which process trains there. The process is in a session of
its own, so it outlives a killed orchestrator, and the next one waits for it instead of starting a second. One that died
without a word is started again.
"""

import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from ..memory import files
from ..memory.errors import EvolventError
from ..memory.trace import span, spent
from . import launcher
from .round import FAILURE, ORDER, Order
from .serving import child
from .serving.launch import tail
from .trainer import METRICS, MODEL, RESULT, Trained, read_result

logger = logging.getLogger(__name__)

LEASE = "lease"
LOCK = "lock"
LOG = "training.log"
STARTS = 2
"""Times a process may end without a word before its round is given up."""


def left(folder: Path) -> bool:
    """Whether a folder can be gone on with: a process trains in it, or has left its result.

    What a process that died leaves running, such as the workers of a launcher, is ended.
    """
    return (folder / RESULT).is_file() or child.survivor(folder / LEASE) is not None


def end(folder: Path) -> None:
    """End the process that trains in a folder, with everything it started, if there is one."""
    holder = child.read(folder / LEASE)
    if holder is not None:
        child.stop(holder)


async def train(folder: Path, order: Order, *, launch: Sequence[str] = ()) -> Trained:
    """Have a round trained by a process: the one that trains there already, or a new one.

    Args:
        folder: working folder of the round, with its data.
        order: what to train.
        launch: launcher and its arguments, in front of `-m` and the program; without any Python runs it.

    Raises:
        EvolventError: it failed, or died more often than it may.
    """
    folder = folder.resolve()
    with spent("training"):
        for start in range(STARTS):
            if not left(folder):
                if start:
                    logger.warning("training in %s ended without a result; starting it again", folder)
                _start(folder, order, launch)
            await _wait(folder)
            if (folder / RESULT).is_file():
                for name in (LEASE, LOCK):
                    (folder / name).unlink(missing_ok=True)
                return read_result(folder)
            if (folder / FAILURE).is_file():
                raise EvolventError(f"training failed: {(folder / FAILURE).read_text()}; its log is {folder / LOG}")
    said = tail(folder / LOG, lines=1) or "nothing, as when a process is killed for its memory"
    raise EvolventError(f"training ended {STARTS} times without a result; its log {folder / LOG} ends with: {said}")


def _start(folder: Path, order: Order, launch: Sequence[str]) -> None:
    """Start a process on what the folder holds, and on nothing that an earlier one made."""
    command = launcher.command(launch, folder)
    shutil.rmtree(folder / MODEL, ignore_errors=True)
    for name in (METRICS, FAILURE, LOCK):
        (folder / name).unlink(missing_ok=True)
    files.write_text(folder / ORDER, order.model_dump_json(indent=2))
    # a module is never taken from the folder somebody happens to stand in
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    child.spawn(command, folder / LEASE, folder / LOG, environment)


async def _wait(folder: Path) -> None:
    """Wait until the holder of the lease has ended; whatever ends the wait ends the holder with its whole group."""
    holder = child.read(folder / LEASE)
    if holder is None:
        return
    with span("training process", pid=holder.pid):
        await child.ended(holder)
