"""Spans as they were written, read a part at a time: a step, what it was made of, and where a text occurs.

A span is written when it ends. While a session runs, and for ever after a kill, the ones around it have not; they are
known by their name and their start.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from . import files
from .errors import RunError, UsageError

WINDOW = 200_000
"""Spans looked through in one search; a million take about a second, which is too long for a page."""
LONGEST = 1_000
"""Characters looked for at most."""
UNENDED = "not ended"
_BEGUN = "id, parent, name, started, attributes"
_COLUMNS = "seq, id, parent, name, started, seconds, status, attributes"


@dataclass(frozen=True, slots=True)
class Span:
    """One step of work."""

    id: str
    parent: str | None
    name: str
    started: float
    """Seconds since 1970."""
    seconds: float
    status: str
    """`ok`, the name of the error that ended it, or `not ended`."""
    attributes: dict[str, Any]
    seq: int = 0
    """Place in the order of ending; 0 while it has not ended."""

    @property
    def ended(self) -> bool:
        """Whether it was written."""
        return self.seq > 0


class Found(NamedTuple):
    """A part of a search."""

    spans: list[Span]
    rest: int | None
    """Search on before this place; None when everything was looked through."""


class Spans:
    """The trace of one run."""

    def __init__(self, database: sqlite3.Connection | None, path: Path) -> None:
        self.path = path
        self._database = database

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a trace read only; a run without one has no spans.

        Raises:
            RunError: it is there and cannot be read.
        """
        if not path.is_file():
            return cls(None, path)
        database = sqlite3.connect(files.database(path), uri=True, isolation_level=None, check_same_thread=False)
        trace = cls(database, path)
        try:
            trace._rows("select 1 from spans limit 1")
        except RunError:
            database.close()
            raise
        return trace

    def close(self) -> None:
        """Release the file."""
        if self._database is not None:
            self._database.close()

    def count(self) -> int:
        """Spans that have ended; their places have no gaps."""
        rows = self._rows("select coalesce(max(seq), 0) from spans")
        return int(rows[0][0]) if rows else 0

    def identity(self) -> str:
        """Name of the trace everywhere, in 32 hexadecimal digits; one made of the run's name where none was written."""
        rows = self._rows("select trace from identity")
        return str(rows[0][0]) if rows else files.digest(self.path.resolve().parent.name, length=32)

    def get(self, id: str) -> Span:
        """Read one span, ended or not.

        Raises:
            RunError: there is none.
        """
        rows = self._rows(f"select {_COLUMNS} from spans where id = ? limit 1", id)  # noqa: S608 - names of columns
        if rows:
            return _span(rows[0])
        if begun := self._rows(f"select {_BEGUN} from begun where id = ?", id):  # noqa: S608
            return self._unended(begun[0])
        raise RunError(f"{self.path}: no span {id!r}; `evolvent trace list` shows the ones there are")

    def roots(self) -> list[Span]:
        """Steps that belong to no other one, by time of their start."""
        whole = self._rows(f"select {_COLUMNS} from spans where parent is null order by started limit 200")  # noqa: S608
        begun = self._rows(f"select {_BEGUN} from begun where parent is null order by started limit 200")  # noqa: S608
        found = [_span(row) for row in whole] + [self._unended(row) for row in begun]
        return sorted(found, key=lambda span: (span.started, span.id))

    def children(self, id: str, *, limit: int = 100, offset: int = 0) -> list[Span]:
        """Parts of a step by time of their start; those that have not ended come last."""
        rows = self._rows(
            f"select {_COLUMNS} from spans where parent = ? order by started, seq limit ? offset ?",  # noqa: S608
            id,
            limit,
            offset,
        )
        found = [_span(row) for row in rows]
        if len(found) < limit:
            begun = self._rows(f"select {_BEGUN} from begun where parent = ? order by started, id", id)  # noqa: S608
            found += [self._unended(row) for row in begun][: limit - len(found)]
        return found

    def parts(self, ids: Sequence[str]) -> dict[str, int]:
        """How many parts each of these steps has."""
        marks = ",".join("?" * len(ids))
        found = dict.fromkeys(ids, 0)
        for table in ("spans", "begun"):
            query = f"select parent, count(*) from {table} where parent in ({marks}) group by parent"  # noqa: S608
            for id, count in self._rows(query, *ids):
                found[str(id)] += int(count)
        return found

    def above(self, span: Span) -> list[Span]:
        """Steps a span is part of, outermost first."""
        found: list[Span] = []
        while span.parent is not None and len(found) < 100:
            span = self.get(span.parent)
            found.insert(0, span)
        return found

    def search(self, text: str, *, before: int | None = None, limit: int = 50) -> Found:
        """Find a text in names, states and attributes, latest first, in one window of spans.

        Args:
            text: looked for as it stands, except that ASCII letters match in either case.
            before: only spans that ended before this place.
            limit: spans returned at most.

        Raises:
            UsageError: more text than SQLite looks for.
        """
        if len(text) > LONGEST:
            raise UsageError(f"a text of {len(text):,} characters is too long to look for; give at most {LONGEST:,}")
        top = self.count() + 1 if before is None else before
        bottom = max(0, top - 1 - WINDOW)
        pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        rows = self._rows(
            f"select {_COLUMNS} from spans where seq > ? and seq < ? and "  # noqa: S608
            "(name like ? escape '\\' or status like ? escape '\\' or attributes like ? escape '\\') "
            "order by seq desc limit ?",
            bottom,
            top,
            pattern,
            pattern,
            pattern,
            limit,
        )
        rest = int(rows[-1][0]) if len(rows) == limit else bottom + 1
        return Found([_span(row) for row in rows], rest if rest > 1 else None)

    def every(self, text: str, *, most: int) -> Iterator[Span]:
        """Find a text in all spans, latest first, at most so many."""
        before: int | None = None
        while most > 0:
            found = self.search(text, before=before, limit=most)
            yield from found.spans
            most -= len(found.spans)
            if found.rest is None:
                return
            before = found.rest

    def tree(self, tops: Sequence[Span], *, depth: int, most: int) -> Iterator[tuple[Span, int]]:
        """Walk steps and their parts in the order they began, with their level; at most so many, and no deeper."""
        waiting = [(span, 0) for span in reversed(tops)]
        while waiting and most > 0:
            span, level = waiting.pop()
            most -= 1
            yield span, level
            if level < depth:
                waiting += [(part, level + 1) for part in reversed(self.children(span.id, limit=most))]

    def names(self) -> list[tuple[str, int, float, int]]:
        """Name, count, total seconds and failures of every kind of step, longest first."""
        rows = self._rows(
            "select name, count(*), sum(seconds), sum(status != 'ok') from spans "
            "group by name order by 3 desc limit 200"
        )
        return [(str(name), int(count), float(seconds), int(failed)) for name, count, seconds, failed in rows]

    def all(self, *, at_once: int = 10_000) -> Iterator[list[Span]]:
        """Everything, some at a time, in the order of ending."""
        after = 0
        while rows := self._rows(
            f"select {_COLUMNS} from spans where seq > ? order by seq limit ?",  # noqa: S608
            after,
            at_once,
        ):
            yield [_span(row) for row in rows]
            after = int(rows[-1][0])

    def _unended(self, row: tuple[Any, ...]) -> Span:
        """A step that has begun; it lasted at least until its last part ended."""
        id, parent, name, started, attributes = row
        last = self._rows("select max(started + seconds) from spans where parent = ?", str(id))[0][0]
        return _span((0, id, parent, name, started, max(0.0, (last or started) - started), UNENDED, attributes))

    def _rows(self, query: str, *values: str | int) -> list[tuple[Any, ...]]:
        if self._database is None:
            return []
        try:
            return self._database.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            if "no such table" in str(error):
                return []
            raise RunError(f"{self.path}: cannot be read ({error}); delete it, it holds nothing but timings") from None


def _span(row: tuple[Any, ...]) -> Span:
    seq, id, parent, name, started, seconds, status, attributes = row
    try:
        values = json.loads(attributes)
    except ValueError:
        values = {"unreadable": str(attributes)}
    found: dict[str, Any] = values if isinstance(values, dict) else {"value": values}
    return Span(str(id), parent, str(name), float(started), float(seconds), str(status), found, int(seq))
