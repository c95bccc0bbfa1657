"""Spans from every room, and where the wall time went.

A span is written to `trace.sqlite` the moment it ends, by whichever thread, so a killed process loses only what had
not ended (`synchronous=NORMAL`: no fsync per span). The steps around it are noted with it and struck off when they
end, so whoever looks at a live or killed session sees where each part belongs. Secrets are taken out at this one place,
before anything is written or goes to a collector.

Time is booked to exactly one kind of work at a time: an inner `spent("inference")` pauses the outer booking, so the
shares of a session always sum to its wall time.
"""

import contextlib
import contextvars
import itertools
import secrets
import sqlite3
import threading
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, get_args

from .errors import RunError
from .secrets import Secrets

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
create table if not exists identity (trace text not null);
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


class Ended(NamedTuple):
    """One span as it is written."""

    id: str
    parent: str | None
    name: str
    started: float
    """Seconds since 1970."""
    seconds: float
    status: str
    attributes: str
    """As JSON."""


class Sink(Protocol):
    """Where spans go besides the database."""

    def take(self, span: Ended) -> None:
        """Take a span; it must not wait and must not fail."""
        ...

    def close(self) -> None:
        """Send what is left, within a bounded time."""
        ...


class Trace:
    """Writes spans to a database; without a path it only keeps the clock.

    Args:
        path: the database.
        since: `time.perf_counter()` at the start of the program, if what came before is start-up.
        hidden: what no span may show.
    """

    def __init__(self, path: Path | None = None, *, since: float | None = None, hidden: Secrets | None = None) -> None:
        self.clock = Clock(since)
        self.hidden = hidden or Secrets()
        self.identity = ""
        """Names the trace of a run everywhere, in 32 hexadecimal digits; the same after a resume."""
        self.sink: Sink | None = None
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._begun: dict[str, _Begun] = {}
        self._database: sqlite3.Connection | None = None
        if path is not None:
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            try:
                self._database.execute("pragma journal_mode=wal")
                self._database.execute("pragma synchronous=normal")
                self._database.executescript(_TABLES)
                self._ids = itertools.count(int(self._database.execute(_LAST).fetchone()[0], 16) + 1)
                self.identity = _identified(self._database)
            except sqlite3.DatabaseError as error:
                self.close()
                raise RunError(f"{path}: cannot be read ({error}); delete it, it holds nothing but timings") from None

    def next_id(self) -> str:
        """Give the next span its id, unique in this run."""
        return f"{next(self._ids):08x}"

    def begin(self, id: str, parent: str | None, name: str, started: float, attributes: Mapping[str, Value]) -> None:
        """Keep in mind that a span has begun; it costs nothing until a part of it ends."""
        self._begun[id] = _Begun(parent, name, started, attributes)

    def write(
        self, id: str, parent: str | None, name: str, started: float, seconds: float, status: str,
        attributes: Mapping[str, Value],
    ) -> None:  # fmt: skip
        """Store one ended span, and note the ones around it that the database does not know of."""
        own = self._begun.pop(id, None)
        known = self.hidden.dump(attributes)
        span = Ended(id, parent, self.hidden.redact(name), started, seconds, status, known)
        with self._lock:
            if self._database is None:
                return
            self._note(span.parent)
            self._database.execute(
                "insert into spans(id,parent,name,started,seconds,status,attributes) values(?,?,?,?,?,?,?)", span
            )
            if own is not None and own.noted:
                self._database.execute("delete from begun where id = ?", (span.id,))
        if self.sink is not None:
            self.sink.take(span)

    def _note(self, id: str | None) -> None:
        assert self._database is not None
        while id is not None and (step := self._begun.get(id)) is not None and not step.noted:
            step.noted = True
            known = self.hidden.dump(step.attributes)
            row = (id, step.parent, self.hidden.redact(step.name), step.started, known)
            self._database.execute("insert or replace into begun values (?, ?, ?, ?, ?)", row)
            id = step.parent

    def close(self) -> None:
        """Release the database, and let go of the sink."""
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None
        if self.sink is not None:
            self.sink.close()
            self.sink = None


def _identified(database: sqlite3.Connection) -> str:
    database.execute(
        "insert into identity select ? where not exists (select 1 from identity)", (secrets.token_hex(16),)
    )
    return str(database.execute("select trace from identity").fetchone()[0])


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


def hide(secret: str) -> None:
    """Keep a secret out of every span from now on; without a recording there is nothing to keep it out of."""
    if (trace := _trace.get()) is not None:
        trace.hidden.add(secret)


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
        trace.write(identity, parent, name, started, seconds, status, values)
