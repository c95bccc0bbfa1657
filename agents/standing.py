"""Whether a run still is what its ledger says: its session, the folders it committed, and its place in the graph.

The ledger is the truth. Where an older one was put in its place, steps of which it holds nothing happen again, and what
is left of them is made the same or adopted; but the place in the graph would skip them, and the memory would know what
is yet to be found.
"""

from contextlib import closing
from pathlib import Path
from typing import Any

from ..memory import files
from ..memory.errors import RunError
from ..memory.ledger import Ledger
from ..memory.lock import Lock
from ..memory.records import Round, Session
from ..memory.retraction import current
from .desk import BASE
from .graph import PLACE, THREAD


def owned(ledger: Ledger, session: Session) -> None:
    """Refuse a ledger that another session wrote; one that was begun without a name belongs to anybody.

    Raises:
        RunError: it did.
    """
    if (ledger.meta("session") or session.id) != session.id:
        raise RunError(
            f"{ledger.path.parent}: session.json is not of the session that wrote this ledger, so its seed or settings "
            "were changed; restore it from a copy, or start a new run with `evolvent run`"
        )


def settle(run: Path, session: Session) -> bool:
    """See that a run can go on, and go back to where its ledger stands; say whether that was necessary.

    Raises:
        RunError: another process is writing to the run, its ledger is another session's, or a student is damaged.
        LedgerError: the ledger cannot be read, or has lost records.
    """
    with Lock(run), closing(Ledger(run / "ledger.sqlite", read_only=True)) as ledger:
        owned(ledger, session)
        for folder in _used(ledger, run):
            if files.verify(folder) is None:
                raise RunError(
                    f"{folder}: is gone, or not as it was sealed; restore it from a copy, or start a new run with "
                    "`evolvent run`"
                )
        if not (run / PLACE).exists() or _reached(run / PLACE) <= ledger.committed():
            return False
        for path in (run / "memory" / "vectors").glob("round-*.parquet"):
            if ledger.result("reflect", int(path.stem.removeprefix("round-"))) is None:
                path.unlink()
        # last: as long as it is there, the next process finds the same
        for suffix in ("-wal", "-shm", ""):
            (run / f"{PLACE}{suffix}").unlink(missing_ok=True)
    return True


def _used(ledger: Ledger, run: Path) -> list[Path]:
    """Folders of the committed students that may still be asked or trained: the first, the promoted, the newest."""
    if ledger.result("student", 0) is None:
        return []
    rounds = ledger.read(Round)
    now = current(ledger)
    used = [r for r in rounds if now and r.path == now.path] + rounds[-1:]
    return list(dict.fromkeys([run / BASE, *((run / r.path).parent for r in used)]))


def _reached(path: Path) -> int:
    """Effects that were committed when the run came to its place; 0 where it does not say so."""
    from langgraph.checkpoint.sqlite import SqliteSaver

    with SqliteSaver.from_conn_string(str(path)) as saver:
        found = saver.get_tuple({"configurable": {"thread_id": THREAD}})
    if found is None:
        return 0
    # a node's result is stored before the checkpoint that it becomes part of
    written: list[Any] = [value for _, channel, value in found.pending_writes or () if channel == "effects"]
    return max(found.checkpoint["channel_values"].get("effects", 0), *written, 0)
