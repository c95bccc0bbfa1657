"""What is in a SQLite file: its tables and views, what their columns hold, and which rows refer to which.

What a column holds goes by its values and not by its declaration, which SQLite does not enforce. The file is opened to
be read and cannot be changed.
"""

import re
import sqlite3
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

from ..memory.errors import PartError
from .queries import may, text

T = TypeVar("T")
Value = int | float | str
Holds = Literal["number", "text", "date"]
DATE = re.compile(r"\d{4}-\d\d-\d\d")
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
STEPS = 10_000
"""Instructions of SQLite's machine between two looks at the clock."""
DISTINCT = 2000
"""Distinct values of a column that are looked at."""
VALUES = 200
"""Of those, how many are asked for, evenly apart in their order."""

FICKLE = {"random", "randomblob", "current_date", "current_time", "current_timestamp"}
"""Functions that a view must not call, for they say something else every time."""
HIDDEN = 1
"""What SQLite says of a column that only a module knows; one that is computed has 2 or 3."""


class Column(NamedTuple):
    """A column that can be asked about."""

    name: str
    holds: Holds
    key: bool
    """Whether it only tells rows apart or refers to others: a number that nobody asks for."""
    gaps: bool
    """Whether a row has nothing there."""
    distinct: int
    """Distinct values, `DISTINCT` at most."""


class Reference(NamedTuple):
    """A foreign key of one column."""

    column: str
    other: str
    """The table that it refers to."""
    to: str


class Relation(NamedTuple):
    """A table or a view."""

    name: str
    rows: int
    columns: tuple[Column, ...]
    """Those that can be asked about."""
    names: tuple[str, ...]
    """All columns."""
    references: tuple[Reference, ...]


class Schema(NamedTuple):
    """What a file holds."""

    relations: tuple[Relation, ...]
    left: tuple[str, ...]
    """What cannot be asked about, one sentence each."""


@contextmanager
def opened(path: str, *, seconds: float) -> Generator[sqlite3.Connection]:
    """Open a file so that it can only be read, for so many seconds.

    Raises:
        PartError: it is no SQLite database, or took too long.
    """
    until = time.monotonic() + seconds
    try:
        with closing(sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)) as file:
            file.text_factory = text
            file.set_progress_handler(lambda: time.monotonic() > until, STEPS)
            for setting in ("query_only = 1", "trusted_schema = 0"):
                file.execute(f"PRAGMA {setting}")
            file.execute("SELECT count(*) FROM sqlite_master").fetchone()
            yield file
    except sqlite3.Error as error:
        if "interrupted" in str(error):
            raise PartError(f"source.path: {path} was not read in {seconds:g} s; use a copy with fewer rows") from None
        raise PartError(f"source.path: {path} cannot be read as a SQLite database: {error}") from None


def schema(file: sqlite3.Connection) -> Schema:
    """Read what a file holds, sorted by the names of tables."""
    names = [
        str(name)
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
        if not name.startswith("sqlite_")
    ]
    relations: list[Relation] = []
    left: list[str] = []
    for name in names:
        try:
            relation = _relation(file, name, names)
        except (sqlite3.Error, UnicodeEncodeError) as error:
            if "interrupted" in str(error):
                raise
            left.append(f"nothing is asked about {name!r}, which cannot be read: {error}")
            continue
        if not relation.rows:
            left.append(f"nothing is asked about {name!r}, which is empty")
            continue
        relations.append(relation)
    return Schema(tuple(relations), tuple(left))


def values(file: sqlite3.Connection, column: str, origin: str, *, longest: int) -> list[tuple[Value, int]]:
    """Give distinct values that can be written in a question, in order, each with the rows that have it.

    Args:
        file: an open database.
        column: the column as SQL.
        origin: what stands after FROM.
        longest: characters of a text.
    """
    said = f"SELECT {column}, count(*) FROM {origin} WHERE {column} IS NOT NULL GROUP BY {column} ORDER BY {column}"  # noqa: S608
    found = [(value, rows) for value, rows in file.execute(f"{said} LIMIT {DISTINCT}") if _sayable(value, longest)]
    return thinned(found, VALUES)


def thinned(items: Sequence[T], most: int) -> list[T]:
    """Take so many at most, evenly apart, the first and the last one among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(at * (len(items) - 1) / (most - 1))] for at in range(most)]


@lru_cache(maxsize=4096)
def named(name: str) -> str:
    """Write a name as SQL: as it is where SQLite takes it for one, in double quotes elsewhere."""
    if IDENTIFIER.fullmatch(name):
        said = f"WITH {name}({name}) AS (SELECT 7) SELECT {name}, {name}.{name} FROM {name} JOIN (SELECT 1) ORDER BY {name}"  # noqa: E501, S608
        with closing(sqlite3.connect(":memory:")) as memory:
            try:
                if memory.execute(said).fetchall() == [(7, 7)]:
                    return name
            except sqlite3.Error:
                pass
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def _relation(file: sqlite3.Connection, name: str, names: Sequence[str]) -> Relation:
    """Read one table or view."""
    table = named(name)
    _try(file, table)
    told = _told(file, table)
    keys = _keys(told)
    references = tuple(_references(file, table, names))
    ((rows,),) = file.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
    apart = {*(keys if len(keys) == 1 else ()), *(reference.column for reference in references)}
    found = (_column(file, table, column, apart=column in apart) for column in told)
    columns = tuple(column for column in found if column is not None)
    return Relation(name, rows, columns, tuple(told), references)


def _try(file: sqlite3.Connection, table: str) -> None:
    """See that a query may read a table, and finds the same again: some are made up by a module, or by chance."""
    file.set_authorizer(_steady)
    try:
        file.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()  # noqa: S608
    finally:
        file.set_authorizer(None)


def _steady(action: int, first: str | None, second: str | None, database: str | None, source: str | None) -> int:
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in FICKLE:
        return sqlite3.SQLITE_DENY
    return may(action, first, second, database, source)


def _told(file: sqlite3.Connection, table: str) -> dict[str, int]:
    """Names of the columns of a table, those that are computed included, and their places in its key, from 1."""
    rows = file.execute(f"PRAGMA table_xinfo({table})")
    return {str(name): place for _, name, _, _, _, place, hidden in rows if hidden != HIDDEN}


def _keys(told: Mapping[str, int]) -> list[str]:
    return [name for name, place in told.items() if place]


def _column(file: sqlite3.Connection, table: str, name: str, *, apart: bool) -> Column | None:
    """Say what a column holds; None where that is several kinds of things, nothing, or bytes."""
    column = named(name)
    kinds = dict(file.execute(f"SELECT typeof({column}), count(*) FROM {table} GROUP BY 1").fetchall())  # noqa: S608
    gaps = bool(kinds.pop("null", 0))
    said = f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL LIMIT {DISTINCT}"  # noqa: S608
    if kinds.keys() <= {"integer", "real"} and kinds:
        holds: Holds = "number"
    elif kinds.keys() == {"text"}:
        dated = all(DATE.fullmatch(value) for (value,) in file.execute(said))
        holds = "date" if dated else "text"
    else:
        return None
    return Column(name, holds, apart and holds == "number", gaps, len(file.execute(said).fetchall()))


def _references(file: sqlite3.Connection, table: str, names: Sequence[str]) -> Iterator[Reference]:
    """Foreign keys of one column that refers to nothing else, to a table that is there; case does not matter."""
    known = {name.casefold(): name for name in names}
    rows = file.execute(f"PRAGMA foreign_key_list({table})").fetchall()
    composite = {number for number, place, *_ in rows if place}
    times = Counter(str(column).casefold() for number, _, _, column, *_ in rows if number not in composite)
    own = {name.casefold(): name for name in _told(file, table)}
    for number, _, other, column, to, *_ in sorted(rows):
        there = known.get(str(other).casefold())
        if number in composite or there is None or times[str(column).casefold()] > 1:
            continue
        told = _told(file, named(there))
        keys = _keys(told)
        if to is None and len(keys) == 1:
            to = keys[0]
        theirs = {name.casefold(): name for name in told}
        if to is not None and str(column).casefold() in own and str(to).casefold() in theirs:
            yield Reference(own[str(column).casefold()], there, theirs[str(to).casefold()])


def _sayable(value: object, longest: int) -> bool:
    """Whether a value can stand in a question as it is."""
    if isinstance(value, str):
        return bool(value) and len(value) <= longest and value.isprintable() and value.strip() == value
    return isinstance(value, int) or (isinstance(value, float) and isfinite(value))
