"""What models answered, by the hash of what they were asked: a session that goes on never pays twice.

One SQLite file and one thread that writes to it. Answers that arrive while it commits share the next commit
(`synchronous=FULL`), so thousands of calls cost few of them; `put` returns when its answer would survive a power loss.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from .budget import Spending
from .errors import RunError

GATHER = 0.005
"""Seconds a commit waits for company, for each answer that the last one stored: who asks alone waits once."""
LONGEST = 0.01
"""Seconds it waits at most: far less than a call of a large model takes."""
FULL = 16
"""Answers with which it waits no longer; more would cost hardly less each, and a kill would take more with it."""

_TABLES = """
create table if not exists responses (
  key text primary key, role text not null, prompt_tokens integer not null, tokens integer not null, usd real not null,
  body text not null
) without rowid;
create table if not exists questions (key text primary key, body text not null) without rowid"""


class Response(NamedTuple):
    """One whole answer of a model, as the server wrote it."""

    key: str
    """Hash of what was asked."""
    role: str
    """Who asked: `student`, `teacher`, `judge`."""
    cost: Spending
    body: str
    asked: str = ""
    """What was asked, as it was sent; empty where the record holds it anyway."""


class Responses:
    """Open store of answers.

    Args:
        path: the database, made if it is not there.

    Raises:
        RunError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._waiting: list[tuple[Response, asyncio.Future[None]]] = []
        self._full = threading.Event()
        self._gather = GATHER
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="responses")
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        with self._readable():
            self._database.execute("pragma journal_mode=wal")
            self._database.execute("pragma synchronous=full")
            self._database.executescript(_TABLES)
        self._reader = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        with self._readable():
            # what is new is asked for far more often than what is stored; a query costs as much as a call's own work
            self._keys = {str(key) for (key,) in self._reader.execute("select key from responses")}

    def get(self, key: str) -> str | None:
        """Give the stored answer, or None."""
        if key not in self._keys:
            return None
        with self._lock:
            row = self._reader.execute("select body from responses where key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    async def put(self, response: Response) -> None:
        """Store an answer; it is durable when this returns. The first one of a key stays."""
        landed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._waiting.append((response, landed))
            if len(self._waiting) == 1:
                self._writer.submit(self._write)
            elif len(self._waiting) == FULL:
                self._full.set()
        await landed

    def spending(self) -> dict[str, Spending]:
        """What was paid, by role."""
        with self._lock:
            return _spending(self._reader)

    def close(self) -> None:
        """Write what waits and release the file."""
        self._writer.shutdown()
        self._reader.close()
        self._database.close()

    def _write(self) -> None:
        """Commit what waits, and tell whoever waits for it."""
        self._full.wait(self._gather)
        with self._lock:
            waiting, self._waiting = self._waiting, []
            self._full.clear()
        self._gather = min(LONGEST, GATHER * len(waiting))
        error: BaseException | None = None
        try:
            self._insert([response for response, _ in waiting])
        except BaseException as failure:
            error = failure
        for loop, landed in _by_loop(future for _, future in waiting).items():
            # a loop that is closed has nobody left who waits
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_settle, landed, error)

    def _insert(self, rows: Sequence[Response]) -> None:
        flat = [(r.key, r.role, r.cost.prompt_tokens, r.cost.tokens, r.cost.usd, r.body) for r in rows]
        self._database.execute("begin immediate")
        try:
            self._database.executemany("insert into responses values (?, ?, ?, ?, ?, ?) on conflict do nothing", flat)
            asked = [(r.key, r.asked) for r in rows if r.asked]
            if asked:
                self._database.executemany("insert into questions values (?, ?) on conflict do nothing", asked)
            self._database.execute("commit")
            self._keys.update(r.key for r in rows)
        except BaseException:
            self._database.execute("rollback")
            raise

    @contextlib.contextmanager
    def _readable(self) -> Generator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            self._writer.shutdown()
            self._database.close()
            raise _unreadable(self.path, error) from None


def paid(path: Path) -> dict[str, Spending]:
    """What was paid, by role, looked up without touching the store; nothing where there is none.

    Raises:
        RunError: it cannot be read.
    """
    if not path.exists():
        return {}
    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            known = database.execute("select 1 from sqlite_master where name = 'responses'").fetchone()
            return _spending(database) if known else {}
    except sqlite3.DatabaseError as error:
        raise _unreadable(path, error) from None


def exchange(path: Path, key: str) -> tuple[str, str, str] | None:
    """Give role, question and answer of one call, looked up without touching the store; None where it is not there.

    The question is empty where it was not kept.

    Raises:
        RunError: it cannot be read.
    """
    query = (
        "select r.role, coalesce(q.body, ''), r.body from responses r left join questions q using (key) where key = ?"
    )
    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            if database.execute("select 1 from sqlite_master where name = 'questions'").fetchone() is None:
                return None
            row = database.execute(query, (key,)).fetchone()
            return None if row is None else (str(row[0]), str(row[1]), str(row[2]))
    except sqlite3.DatabaseError as error:
        raise _unreadable(path, error) from None


def _by_loop(futures: Iterable[asyncio.Future[None]]) -> dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]]:
    found = dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]]()
    for future in futures:
        found.setdefault(future.get_loop(), []).append(future)
    return found


def _settle(landed: Iterable[asyncio.Future[None]], error: BaseException | None) -> None:
    """Say on their loop what became of answers; a caller that gave up needs no word."""
    for future in landed:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)


def _spending(database: sqlite3.Connection) -> dict[str, Spending]:
    query = "select role, count(*), sum(prompt_tokens), sum(tokens), sum(usd) from responses group by role"
    return {role: Spending(*cost) for role, *cost in database.execute(query)}


def _unreadable(path: Path, error: sqlite3.DatabaseError) -> RunError:
    return RunError(
        f"{path}: stored answers cannot be read ({error}); restore the file from a copy, "
        "or delete it and pay for them again"
    )
