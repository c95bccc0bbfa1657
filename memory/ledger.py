"""The record of a session: one SQLite file, one writer, nothing rewritten.

Records and the effects that made them are committed together, so an effect either happened with everything it
recorded or did not happen. `synchronous=FULL`: what was acknowledged survives a power loss.
"""

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from . import files
from .errors import LedgerError
from .records import Record
from .trace import spent

SCHEMA = "1"
CHAIN = "chain"
"""Fact that holds the number and the digest of all records; a run that was begun without it goes without it."""

_TABLES = """
begin;
create table meta (key text primary key, value text not null);
create table records (
  seq integer primary key, kind text not null, id text not null, round integer, subject text, body text not null,
  unique (kind, id)
);
create index records_by_round on records (kind, round);
create index records_by_subject on records (kind, subject);
create index samples_by_weakness on records (json_extract(body, '$.weakness')) where kind = 'sample';
create index samples_by_skill on records (json_extract(body, '$.task.skill')) where kind = 'sample';
create table effects (
  key text primary key, name text not null, round integer not null, status text not null,
  result text, seconds real, unique (name, round)
);
insert into meta values ('schema', '1');
insert into meta values ('chain', '0 ');
commit;
"""

R = TypeVar("R", bound=Record)


class Ledger:
    """Open ledger of one run. Only the session that holds the run's lock writes to it.

    Args:
        path: the file.
        read_only: whether to refuse every write.
        thorough: whether to read the whole file once to see that it is sound; pages of a big run cannot wait for that.

    Raises:
        LedgerError: missing, damaged, or of another version.
    """

    def __init__(self, path: Path, *, read_only: bool = False, thorough: bool = True) -> None:
        self.path = path
        # looked at before anything can write: SQLite drops the log of a database that it finds empty
        self._database = self._connect("ro")
        try:
            self._check(thorough=thorough)
            if not read_only:
                self._database.close()
                self._database = self._connect("rw")
                self._database.execute("pragma synchronous=full")
        except sqlite3.DatabaseError as error:
            self._database.close()
            raise self._unreadable(error) from None
        except LedgerError:
            self._database.close()
            raise

    @classmethod
    def create(cls, path: Path, *, session: str = "") -> None:
        """Make an empty ledger in a new run, of the session with this id."""
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.execute("pragma journal_mode=wal")
            database.execute("pragma synchronous=full")
            database.executescript(_TABLES)
            database.execute("insert into meta values ('session', ?)", (session,))
            database.commit()

    def _connect(self, mode: str) -> sqlite3.Connection:
        if not self.path.is_file() or not self.path.stat().st_size:
            raise self._unreadable("it is missing or empty")
        # the writer is one thread at a time, but not always the same one: LangGraph runs nodes on its own loop
        address = files.database(self.path, mode)
        try:
            return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
        except sqlite3.DatabaseError as error:
            raise self._unreadable(error) from None

    def _unreadable(self, reason: object) -> LedgerError:
        said = " ".join(str(reason).split())
        return LedgerError(
            f"{self.path}: the ledger cannot be read ({said}); restore it from a copy, nothing was changed"
        )

    def _check(self, *, thorough: bool) -> None:
        check = self._database.execute("pragma quick_check(1)").fetchone()[0] if thorough else "ok"
        if check != "ok":
            raise sqlite3.DatabaseError(check)
        if (found := self.meta("schema")) != SCHEMA:
            raise LedgerError(
                f"{self.path}: ledger schema {found!r}, this version reads {SCHEMA}; use the version that wrote it"
            )
        if thorough and (chain := self._chain()) is not None:
            self._compare(chain)

    def _chain(self) -> tuple[int, str] | None:
        known = self.meta(CHAIN)
        if known is None:
            return None
        count, _, digest = known.partition(" ")
        if not count.isdecimal():
            raise self._unreadable(f"it counts {known!r} records")
        return int(count), digest

    def _compare(self, chain: tuple[int, str]) -> None:
        """See that records are the ones that were committed; 100,000 of them take about a third of a second."""
        count, digest = 0, ""
        # no more than were counted: whoever writes at this moment only adds
        query = "select kind, id, body from records order by seq limit ?"
        for kind, id, body in self._database.execute(query, (chain[0],)):
            count, digest = count + 1, _link(digest, kind, id, body)
        if (count, digest) != chain:
            said = f"{count:,} of {chain[0]:,} records are there" if count < chain[0] else "a record was changed"
            raise self._unreadable(said)

    def close(self) -> None:
        """Release the file."""
        self._database.close()

    def meta(self, key: str) -> str | None:
        """Read one fact about the ledger itself."""
        row = self._database.execute("select value from meta where key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Keep one fact about the ledger itself."""
        with spent("fsync"):
            self._database.execute("insert or replace into meta values (?, ?)", (key, value))

    def metas(self, prefix: str) -> dict[str, str]:
        """Read all facts whose key begins with a prefix."""
        rows = self._database.execute("select key, value from meta where key glob ? order by key", (prefix + "*",))
        return {str(key): str(value) for key, value in rows}

    # effects

    def effect(self, key: str) -> tuple[str, Any] | None:
        """Give status and result of an effect, or None if it was never begun."""
        row = self._database.execute("select status, result from effects where key = ?", (key,)).fetchone()
        return None if row is None else (row[0], self._result(row[1]) if row[1] else None)

    def intend(self, key: str, name: str, round: int) -> None:
        """Write down that an effect is about to happen.

        Raises:
            LedgerError: the same step was already begun with other inputs.
        """
        with spent("fsync"):
            try:
                self._database.execute(
                    "insert into effects(key, name, round, status) values (?, ?, ?, 'intent') "
                    "on conflict(key) do nothing",
                    (key, name, round),
                )
            except sqlite3.IntegrityError:
                raise LedgerError(
                    f"{self.path}: step {name!r} of round {round} was begun with other inputs; "
                    "the code or the scenario changed under this run, start a new one"
                ) from None

    def abandon(self) -> None:
        """Forget the steps that were begun and did not happen, since they may have other inputs now."""
        self._database.execute("delete from effects where status = 'intent'")

    def result(self, name: str, round: int) -> Any:
        """Give what a committed step of a round came to, or None."""
        row = self._database.execute(
            "select result from effects where name = ? and round = ? and status = 'committed'", (name, round)
        ).fetchone()
        return None if row is None else self._result(row[0])

    def _result(self, text: str) -> Any:
        try:
            return json.loads(text)
        except (ValueError, TypeError):
            raise self._unreadable("the result of a step is damaged") from None

    def commit(
        self, key: str, result: Mapping[str, Any], records: Iterable[Record], seconds: float, *,
        meta: Mapping[str, str], filed: int | None = None,
    ) -> None:  # fmt: skip
        """Record what an effect made and that it happened, in one transaction.

        Args:
            key: the effect.
            result: what it came to.
            records: what it made.
            seconds: how long it took.
            meta: facts about the ledger itself.
            filed: round the records are filed under, where that is not their own.

        Raises:
            LedgerError: the effect was never begun, or happened already.
        """
        rows = [(r.kind, r.id, r.at if filed is None else filed, r.about, r.model_dump_json()) for r in records]
        with spent("fsync"):
            self._database.execute("begin immediate")
            try:
                self._add(rows)
                done = self._database.execute(
                    "update effects set status = 'committed', result = ?, seconds = ? "
                    "where key = ? and status = 'intent'",
                    (json.dumps(dict(result)), seconds, key),
                )
                if done.rowcount != 1:
                    raise LedgerError(f"{self.path}: effect {key!r} was never begun, or happened already")
                self._database.executemany("insert or replace into meta values (?, ?)", meta.items())
                self._database.execute("commit")
            except BaseException:
                self._database.execute("rollback")
                raise

    def _add(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert records that are not there yet, and lengthen the chain by them."""
        chain = self._chain()
        for kind, id, round, subject, body in rows:
            added = self._database.execute(
                "insert into records(kind, id, round, subject, body) values (?, ?, ?, ?, ?) on conflict do nothing",
                (kind, id, round, subject, body),
            )
            if chain is not None and added.rowcount == 1:
                chain = (chain[0] + 1, _link(chain[1], kind, id, body))
        if chain is not None:
            self._database.execute("update meta set value = ? where key = ?", (f"{chain[0]} {chain[1]}", CHAIN))

    def committed(self) -> int:
        """Count effects that happened."""
        return int(self._database.execute("select count(*) from effects where status = 'committed'").fetchone()[0])

    # records

    def read(self, record: type[R], *, round: int | None = None, subject: str | None = None) -> list[R]:
        """Read records of one kind in the order they were written.

        Args:
            record: which kind.
            round: only those of this round.
            subject: only those about this skill, weakness or sample.
        """
        query, values = "select body from records where kind = ?", [record.kind]
        if round is not None:
            query, values = query + " and round = ?", [*values, round]
        if subject is not None:
            query, values = query + " and subject = ?", [*values, subject]
        return [self._record(record, body) for (body,) in self._database.execute(query + " order by seq", values)]

    def get(self, record: type[R], id: str) -> R:
        """Read one record.

        Raises:
            LedgerError: there is none.
        """
        row = self._database.execute("select body from records where kind = ? and id = ?", (record.kind, id)).fetchone()
        if row is None:
            raise LedgerError(f"{self.path}: no {record.kind} {id!r}")
        return self._record(record, row[0])

    def _record(self, record: type[R], body: str) -> R:
        try:
            return record.read(body)
        except ValueError as error:
            reason = str(error).splitlines()[0]
            raise self._unreadable(f"a {record.kind} is damaged: {reason}") from None

    def find(self, record: type[R], prefix: str) -> R:
        """Read the one record whose id begins with `prefix`.

        Raises:
            LedgerError: there is none, or there are several.
        """
        ids = self.rows(
            "select id from records where kind = ? and id >= ? and id < ? order by id limit 3",
            record.kind,
            prefix,
            prefix + "g",  # ids are hexadecimal
        )
        if len(ids) > 1:
            known = ", ".join(id for (id,) in ids)
            raise LedgerError(
                f"{self.path}: several {record.kind} ids begin with {prefix!r}: {known} …; write more of it"
            )
        return self.get(record, ids[0][0] if ids else prefix)

    def rows(self, query: str, *values: str | int | float | None) -> list[tuple[Any, ...]]:
        """Read with SQL, for pages that show a part of many records."""
        return self._database.execute(query, values).fetchall()

    def count(self, record: type[Record], *, round: int | None = None, subject: str | None = None) -> int:
        """Count records of one kind, filed as in `read`."""
        query, values = "select count(*) from records where kind = ?", [record.kind]
        if round is not None:
            query, values = query + " and round = ?", [*values, round]
        if subject is not None:
            query, values = query + " and subject = ?", [*values, subject]
        return int(self._database.execute(query, values).fetchone()[0])


def _link(digest: str, kind: str, id: str, body: str) -> str:
    """Digest of all records so far and one more."""
    return hashlib.sha256(f"{digest} {kind} {id} {body}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
