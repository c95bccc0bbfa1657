"""What runs came to, read from their folders."""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from ...memory import files
from ...memory.errors import RunError
from ...memory.ledger import Ledger
from ...memory.lock import alive
from ...memory.reading import Run
from ...memory.records import Exam, Session
from ...memory.retraction import current
from ...training.checkpoint import identify
from .. import standing
from ..desk import BASE
from ..folder import begun
from .bill import bill
from .summary import summarize

Json = dict[str, Any]


class Student(NamedTuple):
    """One student of a run."""

    label: str
    digest: str
    path: Path
    tainted: bool = False
    """Whether it learned from what was withdrawn."""


def result(run: Path) -> Json:
    """Read what a session came to, without writing anything."""
    scenario, session = begun(run)
    ledger = Ledger(run / "ledger.sqlite", read_only=True)
    try:
        standing.owned(ledger, session)
        found = summarize(ledger, scenario, session, run=run.name, directory=str(run), status=status(run))
        return found | {"models": bill(run, scenario), "reason": str(stored_session(run).get("reason") or "")}
    finally:
        ledger.close()


def report(run: Path) -> Json:
    """Write the report of a run again."""
    writable(run)
    found = result(run)
    write_report(run, found)
    return found


def listed(runs: Path) -> list[Json]:
    """Name, status and scores of every run, newest first."""
    found: list[Json] = []
    for run in sorted(filter(_listed, runs.glob("*")), reverse=True):
        entry: Json = {"run": run.name, "status": "damaged", "seed": "?"}
        try:
            stored = stored_session(run)
            summary = json.loads((run / "report.json").read_text()) if (run / "report.json").exists() else {}
            select = summary.get("select") or {}
            entry |= {
                "status": status(run),
                "seed": stored["session"]["seed"],
                "limited": stored["session"]["limit"],
                "probe": "probe" in stored["session"]["settings"],
                "before": select.get("before"),
                "after": select.get("after"),
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RunError):
            pass
        found.append(entry)
    return found


def _listed(folder: Path) -> bool:
    """Whether a folder is a run, or one that cannot be looked into and may be."""
    return (
        not folder.name.startswith(".")
        and folder.is_dir()
        and (not os.access(folder, os.X_OK) or (folder / "session.json").is_file())
    )


def writable(run: Path) -> None:
    """Refuse a run that cannot be written to before anything tries.

    Raises:
        RunError: it cannot.
    """
    if run.is_dir() and not os.access(run, os.W_OK | os.X_OK):
        raise RunError(f"{run}: the folder cannot be written; make it writable, nothing was changed")


def write_report(run: Path, found: Json) -> None:
    """Write what a session came to, as a page and for programs."""
    from .report import render

    files.write_json(run / "report.json", found)
    files.write_text(run / "report.html", render(found))
    latest = run / "latest"
    rounds = sorted(p for p in (run / "rounds").glob("[0-9]*") if (p / files.COMPLETE).exists())
    if rounds:
        temporary = run / f".latest.{os.getpid()}"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(rounds[-1].relative_to(run))
        temporary.replace(latest)


def stored_session(run: Path) -> Json:
    """What `session.json` says.

    Raises:
        RunError: not a run, or damaged.
    """
    try:
        stored = json.loads((run / "session.json").read_text())
        Session.model_validate(stored["session"])
        return stored
    except FileNotFoundError:
        raise RunError(f"{run}: not a run of evolvent; `evolvent runs list` shows the ones there are") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(f"{run / 'session.json'}: cannot be read ({reason}); restore it from a copy") from None


def status(run: Path) -> str:
    """Status as it was written; a run whose process is gone was interrupted, whatever it could still write."""
    stored = stored_session(run)
    status = str(stored.get("status", "unknown"))
    pid = stored.get("pid")
    gone = status == "running" and not alive(pid if isinstance(pid, int) else -1)
    return "interrupted" if gone else status


def students(path: Path) -> list[Student]:
    """The first student of a run, and the one promoted last if one was, or the clean one in its place.

    Raises:
        RunError: not a run, or one whose students are not there or changed.
    """
    with Run.load(path) as run:
        first = next((e.student for e in run.ledger.read(Exam, round=0, subject="select")), None)
        now = current(run.ledger)
    if first is None:
        raise RunError(f"{path}: no student was examined yet; wait until the first exam was taken")
    found = [Student("base", first, path / BASE)]
    found += [Student("promoted", now.digest, path / now.path, tainted=now.tainted)] if now else []
    for student in found:
        if not student.path.is_dir():
            raise RunError(f"{student.path}: not there; a student behind an endpoint is asked at its endpoint")
        if identify(student.path) != student.digest:
            raise RunError(f"{student.path}: not the weights that were examined; restore them from a copy")
    return found
