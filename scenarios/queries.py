"""Runs a query on SQLite that can change nothing: what verifier `sql` has done in a process of its own."""

import sqlite3
import time
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any

STEPS = 1000
"""Instructions of SQLite's machine between two looks at the clock."""
LARGEST = 1 << 20
"""Bytes of a text, a value and a row: one instruction on a longer one could take longer than the time there is."""
DIGITS = 9
"""Significant digits in which two fractions have to agree."""
ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
REFUSED = {"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"}
"""Functions that reach outside."""


class Unrunnable(Exception):
    """A query that gives nothing to compare."""


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Run a query.

    Args:
        request: `query`, `seconds`, the most `rows`, and a `script` that makes the database or a `database` file.

    Returns:
        `columns` and `rows`, or what is `wrong`, or that the database is `broken`.
    """
    try:
        database = _opened(request["script"], request["database"])
    except sqlite3.Error as error:
        return {"broken": str(error)}
    try:
        return _run(database, request["query"], request["seconds"], request["rows"])
    except Unrunnable as error:
        return {"wrong": str(error)}


@lru_cache(maxsize=4)
def _opened(script: str, path: str) -> sqlite3.Connection:
    """Open a database once; no query can change it."""
    if script:
        database = sqlite3.connect(":memory:")
        database.executescript(script)
    else:
        database = sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    for limit, most in (
        (sqlite3.SQLITE_LIMIT_LENGTH, LARGEST),
        (sqlite3.SQLITE_LIMIT_SQL_LENGTH, LARGEST),
        (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
        (sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100),
    ):
        database.setlimit(limit, most)
    # what is no UTF-8 is compared as well
    database.text_factory = text
    for setting in ("query_only = 1", "trusted_schema = 0", "temp_store = 2"):
        database.execute(f"PRAGMA {setting}")
    database.set_authorizer(may)
    return database


def _run(database: sqlite3.Connection, query: str, seconds: float, most: int) -> dict[str, Any]:
    until = time.monotonic() + seconds
    database.set_progress_handler(lambda: time.monotonic() > until, STEPS)
    try:
        with closing(database.cursor()) as cursor:
            cursor.execute(query)
            if cursor.description is None:
                raise Unrunnable("asks for nothing")
            rows = cursor.fetchmany(most + 1)
            columns = len(cursor.description)
    except sqlite3.OperationalError as error:
        slow = "interrupted" in str(error)
        raise Unrunnable(f"was not done after {seconds:g} s" if slow else f"fails: {error}") from None
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
        raise Unrunnable(f"fails: {error}") from None
    if len(rows) > most:
        raise Unrunnable(f"finds more than {most:,} rows")
    return {"columns": columns, "rows": [[_value(value) for value in row] for row in rows]}


def may(action: int, first: str | None, second: str | None, database: str | None, source: str | None) -> int:
    """What a query may do: read, and call what computes."""
    del first, database, source
    if action == sqlite3.SQLITE_FUNCTION:
        return sqlite3.SQLITE_DENY if (second or "").lower() in REFUSED else sqlite3.SQLITE_OK
    return sqlite3.SQLITE_OK if action in ALLOWED else sqlite3.SQLITE_DENY


def text(raw: bytes) -> str:
    """Read a text of a database; what is no UTF-8 becomes something that no question can hold."""
    return raw.decode("utf-8", "surrogateescape")


def _value(value: Any) -> Any:
    """Numbers as what they are worth: 2.0 as 2, fractions to the digits that two ways of adding up agree in."""
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if not isinstance(value, float):
        return value
    short = float(f"{value:.{DIGITS}g}")
    return int(short) if short.is_integer() else short
