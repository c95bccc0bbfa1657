"""Ask the process that works on a run to stop at its next step, and wait until it has.

It is asked by SIGTERM, which a session heeds between two steps and answers by writing down that it was interrupted; a
file to be looked at would have to be taken away again, and one left behind would stop the next process. Only the very
process that locked the run is asked, told apart by its start time, through a descriptor that no other can take over.
"""

import os
import select
import signal
from pathlib import Path

from ...memory.errors import EvolventError, RunError
from ...memory.lock import Lock, Writer
from ..reports.results import status


def pause(run: Path, *, patience: float) -> bool:
    """Stop whoever works on a run; say whether anybody did.

    Args:
        run: its folder.
        patience: seconds to wait.

    Raises:
        RunError: not a run, or worked on by a process of which nobody can say whether it is the one.
        EvolventError: it still runs after that time.
    """
    written, writer = status(run), Lock(run).writer()
    if writer is None or not writer.runs:
        if written == "running":
            pid = writer.pid if writer else "unknown"
            raise RunError(
                f"{run}: cannot tell whether process {pid} is the session; if it is, `kill {pid}` stops it as well"
            )
        return False
    try:
        process = os.pidfd_open(writer.pid)
    except ProcessLookupError:
        return True
    try:
        _ask(process, writer)
        if not select.select([process], [], [], patience)[0]:
            raise EvolventError(
                f"{run}: process {writer.pid} was asked to stop and still runs after {patience:g} s; it stops at its "
                f"next step, and `kill -9 {writer.pid}` loses nothing that was written down"
            )
    finally:
        os.close(process)
    return True


def _ask(process: int, writer: Writer) -> None:
    # the descriptor is of whoever has the id now: of the session if its start time is still the same
    if writer.runs and _heeds(writer.pid):
        signal.pidfd_send_signal(process, signal.SIGTERM)


def _heeds(pid: int) -> bool:
    """Whether SIGTERM still asks: a session that was asked takes a second one as an order to end at once."""
    lines = Path("/proc", str(pid), "status").read_text().splitlines()
    caught = next(int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:"))
    return bool(caught >> (signal.SIGTERM - 1) & 1)
