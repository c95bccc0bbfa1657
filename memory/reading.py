"""A run opened to be looked at: its SQLite files, read only; never Chroma, never a model.

Nothing here holds a lock or a long transaction, so a session that is still writing does not notice its readers.
"""

import contextlib
import json
import re
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from . import tables
from .errors import RunError
from .ledger import Ledger
from .lock import alive
from .records import Session
from .spans import Spans

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
"""What a run may be called; whatever else is asked for was never written by a session."""
OWN = ("session.json", "scenario.resolved.json", "environment.json", "ledger.sqlite", "trace.sqlite")
"""Files a reader opens; a link in their place would lead out of the run."""


class Goal(NamedTuple):
    """What a session is for: its skills by the part they play."""

    targets: tuple[str, ...]
    guards: tuple[str, ...]
    learnable: tuple[str, ...]
    """Targets the macro score is over; all of them where the scenario calls none learnable."""


class Run:
    """One run, to be read only.

    Use `Run.load(path)`; close it, or use it as a context manager. Tables are Arrow tables: `run.samples().to_pandas()`
    gives a data frame.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._exits = contextlib.ExitStack()

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Open the folder of a run.

        Raises:
            RunError: not a run, damaged, or made of links that lead elsewhere.
            LedgerError: its ledger cannot be read.
        """
        run = cls(Path(path))
        if not (run.path / "session.json").is_file():
            raise RunError(f"{path}: not a run of evolvent; `evolvent runs list` shows the ones there are")
        for name in OWN:
            if (run.path / name).is_symlink():
                raise RunError(f"{run.path / name}: is a link; a run is read only from its own files, copy it there")
        _ = run.session
        return run

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release its files."""
        self._exits.close()

    @property
    def name(self) -> str:
        """Name of its folder."""
        return self.path.resolve().name

    @cached_property
    def stored(self) -> dict[str, Any]:
        """What `session.json` says."""
        return self._json("session.json")

    @cached_property
    def session(self) -> Session:
        """What the run was begun with."""
        try:
            return Session.model_validate(self.stored["session"])
        except (ValueError, KeyError) as error:
            raise self._damaged("session.json", error) from None

    @property
    def status(self) -> str:
        """Status as it was written; a run whose process is gone was interrupted, whatever it could still write."""
        status = str(self.stored.get("status", "unknown"))
        pid = self.stored.get("pid", -1)
        return "interrupted" if status == "running" and not alive(pid if isinstance(pid, int) else -1) else status

    @cached_property
    def scenario(self) -> dict[str, Any]:
        """The resolved scenario as JSON."""
        found = self._json("scenario.resolved.json").get("scenario")
        if not isinstance(found, dict):
            raise self._damaged("scenario.resolved.json", ValueError("it holds no scenario"))
        return found

    @cached_property
    def environment(self) -> dict[str, Any]:
        """What the session ran on; empty where that was not written down."""
        return self._json("environment.json") if (self.path / "environment.json").is_file() else {}

    @cached_property
    def goal(self) -> Goal:
        """Skills by the part they play."""
        skills: dict[str, dict[str, Any]] = self.scenario.get("skills", {})
        targets = tuple(sorted(n for n, s in skills.items() if not s.get("guard")))
        learnable = tuple(n for n in targets if skills[n].get("learnable") is not False)
        return Goal(targets, tuple(sorted(set(skills) - set(targets))), learnable or targets)

    @cached_property
    def ledger(self) -> Ledger:
        """The record, without the check that reads the whole file."""
        ledger = Ledger(self.path / "ledger.sqlite", read_only=True, thorough=False)
        self._exits.callback(ledger.close)
        return ledger

    @cached_property
    def trace(self) -> Spans:
        """The spans; none where no trace was written."""
        spans = Spans.open(self.path / "trace.sqlite")
        self._exits.callback(spans.close)
        return spans

    def samples(self, *, round: int | None = None) -> tables.Table:
        """Samples with their fates, in the order they were written, of one round or of all."""
        return tables.samples(self.ledger, round=round)

    def attempts(self, *, round: int | None = None) -> tables.Table:
        """Answers of students to probes, in the order they were given, of one round or of all."""
        return tables.attempts(self.ledger, round=round)

    def rounds(self) -> tables.Table:
        """Training rounds of both arms, with the decision on each."""
        return tables.rounds(self.ledger)

    def spans(self) -> tables.Table:
        """Steps of work that have ended, in the order they ended; times are seconds since 1970."""
        return tables.spans(self.trace)

    def _json(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads((self.path / name).read_text(encoding="utf-8"))
            if not isinstance(found, dict):
                raise ValueError("it is not a JSON object")
            return found
        except (OSError, ValueError, RecursionError) as error:
            raise self._damaged(name, error) from None

    def _damaged(self, name: str, error: Exception) -> RunError:
        reason = (str(error).splitlines() or ["no reason given"])[0]
        return RunError(f"{self.path / name}: cannot be read ({reason}); restore it from a copy")


def shelf(runs: Path) -> list[Path]:
    """Folders of runs, newest first; links and names no session would write are left out."""
    if not runs.is_dir():
        return []
    found = (p for p in runs.iterdir() if NAME.fullmatch(p.name) and not p.is_symlink())
    return sorted((p for p in found if (p / "session.json").is_file()), reverse=True)


def newest(runs: Path) -> Path:
    """Folder of the newest run.

    Raises:
        RunError: there is none.
    """
    found = shelf(runs)
    if not found:
        raise RunError(f"no runs in {runs}; begin one with `evolvent run scenarios/arithmetic.toml`")
    return found[0]
