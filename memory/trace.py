"""Spans from every room, and where the wall time went.

A span is written to `trace.sqlite` the moment it ends, so a killed process loses only what had not ended
(`synchronous=NORMAL`: no fsync per span). The steps around it are noted with it and struck off when they end, so
whoever looks at a live or killed session sees where each part belongs.

Time is booked to exactly one kind of work at a time: an inner `spent("inference")` pauses the outer booking, so the
shares of a session always sum to its wall time.
"""

import contextlib
import contextvars
import json
import sqlite3
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from .errors import RunError

Work = Literal["start-up", "inference", "training", "embedding", "curation", "fsync", "orchestration"]
"""What wall time is spent on; `orchestration` is whatever nobody else claimed."""

Value = str | int | float | bool | None

_TABLES = """
create table if not exists spans (
  seq integer primary key, id text not null, parent text, name text not null,
  started real not null, seconds real not null, status text not null, attributes text not null
);
create index if not exists spans_by_id on spans (id);
create index if not exists spans_by_parent on spans (parent, started);
create table if not exists begun (
  id text primary key, parent text, name text not null, started real not null, attributes text not null
);
"""


_LAST = "select max(coalesce((select max(id) from spans), '0'), coalesce((select max(id) from begun), '0'))"


class Clock:
    """Books wall time to one kind of work at a time."""

    def __init__(self, since: float | None = None) -> None:
        self.seconds: dict[Work, float] = dict.fromkeys(get_args(Work), 0.0)
        self._stack: list[Work] = ["orchestration"]
        self._since = time.perf_counter()
        if since is not None:
            self.seconds["start-up"] = self._since - since

    def _book(self) -> None:
        now = time.perf_counter()
        self.seconds[self._stack[-1]] += now - self._since
        self._since = now

    @contextlib.contextmanager
    def spent(self, work: Work) -> Generator[None]:
        """Book what happens inside to `work`, and to nothing else."""
        self._book()
        self._stack.append(work)
        try:
            yield
        finally:
            self._book()
            self._stack.pop()

    def read(self) -> dict[Work, float]:
        """Seconds per kind of work up to now."""
        self._book()
        return dict(self.seconds)


@dataclass(slots=True)
class _Begun:
    """A step that goes on."""

    parent: str | None
    name: str
    started: float
    attributes: Mapping[str, Value]
    noted: bool = False
    """Whether the database knows of it."""


class Trace:
    """Writes spans to a database; without a path it only keeps the clock.

    Args:
        path: the database.
        since: `time.perf_counter()` at the start of the program, if what came before is start-up.
    """

    def __init__(self, path: Path | None = None, *, since: float | None = None) -> None:
        self.clock = Clock(since)
        self._count = 0
        self._begun: dict[str, _Begun] = {}
        self._database: sqlite3.Connection | None = None
        if path is not None:
            self._database = sqlite3.connect(path, isolation_level=None)
            try:
                self._database.execute("pragma journal_mode=wal")
                self._database.execute("pragma synchronous=normal")
                self._database.executescript(_TABLES)
                self._count = int(self._database.execute(_LAST).fetchone()[0], 16)
            except sqlite3.DatabaseError as error:
                self.close()
                raise RunError(f"{path}: cannot be read ({error}); delete it, it holds nothing but timings") from None

    def next_id(self) -> str:
        """Give the next span its id, unique in this run."""
        self._count += 1
        return f"{self._count:08x}"

    def begin(self, id: str, parent: str | None, name: str, started: float, attributes: Mapping[str, Value]) -> None:
        """Keep in mind that a span has begun; it costs nothing until a part of it ends."""
        self._begun[id] = _Begun(parent, name, started, attributes)

    def write(self, row: tuple[str, str | None, str, float, float, str, str]) -> None:
        """Store one ended span, and note the ones around it that the database does not know of."""
        own = self._begun.pop(row[0], None)
        if self._database is None:
            return
        self._note(row[1])
        self._database.execute(
            "insert into spans(id,parent,name,started,seconds,status,attributes) values(?,?,?,?,?,?,?)", row
        )
        if own is not None and own.noted:
            self._database.execute("delete from begun where id = ?", (row[0],))

    def _note(self, id: str | None) -> None:
        assert self._database is not None
        while id is not None and (step := self._begun.get(id)) is not None and not step.noted:
            step.noted = True
            known = json.dumps(dict(step.attributes), ensure_ascii=False)
            row = (id, step.parent, step.name, step.started, known)
            self._database.execute("insert or replace into begun values (?, ?, ?, ?, ?)", row)
            id = step.parent

    def close(self) -> None:
        """Release the database."""
        if self._database is not None:
            self._database.close()
            self._database = None


_trace: contextvars.ContextVar[Trace | None] = contextvars.ContextVar("evolvent_trace", default=None)
_parent: contextvars.ContextVar[str | None] = contextvars.ContextVar("evolvent_span", default=None)


@contextlib.contextmanager
def recording(trace: Trace) -> Generator[Trace]:
    """Send every span and every booked second inside to `trace`."""
    token = _trace.set(trace)
    try:
        yield trace
    finally:
        _trace.reset(token)
        trace.close()


def reading() -> dict[Work, float]:
    """Seconds per kind of work so far; empty when nobody records."""
    trace = _trace.get()
    return trace.clock.read() if trace else {}


@contextlib.contextmanager
def spent(work: Work) -> Generator[None]:
    """Book the wall time inside to one kind of work; does nothing when nobody records."""
    trace = _trace.get()
    if trace is None:
        yield
        return
    with trace.clock.spent(work):
        yield


@contextlib.contextmanager
def span(name: str, **attributes: Value) -> Generator[dict[str, Value]]:
    """Record one step of work; the yielded dict takes attributes known only at its end."""
    trace = _trace.get()
    if trace is None:
        yield dict(attributes)
        return
    identity, parent = trace.next_id(), _parent.get()
    token = _parent.set(identity)
    # the clock on the wall is right for a record; durations come from the monotonic one
    started, since = time.time(), time.perf_counter()
    status, values = "ok", dict(attributes)
    trace.begin(identity, parent, name, started, values)
    try:
        yield values
    except BaseException as error:
        status = type(error).__name__
        raise
    finally:
        _parent.reset(token)
        seconds = time.perf_counter() - since
        trace.write((identity, parent, name, started, seconds, status, json.dumps(values, ensure_ascii=False)))
