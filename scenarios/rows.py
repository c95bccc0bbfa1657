"""Rows of a file or data set, each checked where it stands: what sources of rows draw from."""

import gzip
import json
import re
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ..memory.errors import PartError, suggest
from ..memory.records import Task
from ..memory.talk import Talk
from .conversation import converse
from .delimited import Delimited
from .features import frequent, seen, told
from .source import identity, same
from .template import fill, is_template

Reader = Callable[[str], Iterator[tuple[int, dict[str, Any]]]]
"""Gives the numbers, from 1, and rows of what is at a path; hashed, so that rows are kept by how they were read."""
FEATURES = "features"
"""Optional column: a list of texts, what is true of the row in your own terms."""
LONGEST = 1 << 20
"""Bytes a line may have."""
LISTED = 10
"""Names that a message lists."""


class Columns(NamedTuple):
    """Which column holds what."""

    prompt: str
    answer: str
    skill: str
    key: str
    prose: bool
    """Whether what they hold is prose."""
    document: str
    """Empty where there is none."""
    messages: str
    tools: str
    checks: str
    """Empty where there is none."""
    templates: bool = False
    """Whether prompt and answer may be templates over columns."""
    traits: tuple[str, ...] = ()
    """Columns whose values become features."""

    def same(self, prompt: str) -> str:
        """What a prompt has in common with the same task written otherwise."""
        return same(prompt, prose=self.prose)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file."""

    line: int
    skill: str
    key: str
    prompt: str
    answer: str
    values: Mapping[str, Any]
    talk: Talk | None = None
    checks: str = ""

    @property
    def own(self) -> str:
        """The text that words are looked for in."""
        return self.prompt if self.talk is None else self.talk.own()

    def features(self, words: Collection[str]) -> set[str]:
        """What the file says of it, and what can be seen in any.

        Args:
            words: those that are worth a feature.
        """
        found = {str(feature) for feature in self.values.get(FEATURES) or ()} | seen(self.own, words)
        return found | (told(self.talk, self.answer) if self.talk else set())

    def task(self, skill: str, features: Collection[str]) -> Task:
        """What it asks, as a task of a skill."""
        return Task(
            skill=skill,
            key=self.key,
            prompt=self.prompt,
            answer=self.answer,
            features=tuple(sorted(features)),
            talk=self.talk,
            checks=self.checks,
        )


@dataclass(frozen=True, slots=True)
class Table:
    """A file as read."""

    skills: Mapping[str, Sequence[Row]]
    """Rows by skill, each list ordered by key."""
    answers: Mapping[str, str]
    """By key."""
    columns: Sequence[str]
    words: Collection[str]
    """Words that become features."""
    keys: Mapping[str, str]
    """Of the rows, by the identity of their prompts."""
    documents: Mapping[str, str]
    """By key."""
    checks: Mapping[str, str]
    """By key."""


@lru_cache(maxsize=4)
def read(path: str, changed: int, size: int, columns: Columns, reader: Reader | None = None) -> Table:
    """Read and check a file; time and size are there to notice that it changed.

    Args:
        path: what holds the rows; begins every message.
        changed: when it was written.
        size: its bytes.
        columns: which column holds what.
        reader: how it is read; a JSON Lines or Parquet file without one.
    """
    del changed, size
    rows = sorted(
        (_row(path, line, values, columns) for line, values in (reader or lines)(path)),
        key=lambda row: (row.key, row.line),
    )
    if not rows:
        raise PartError(f"{path}: no rows; write one a task, with {columns.prompt!r} and {columns.answer!r}")
    skills: dict[str, list[Row]] = {}
    first: dict[str, Row] = {}
    for row in rows:
        earlier = first.setdefault(row.key, row)
        if earlier.answer != row.answer:
            raise PartError(
                f"{path}: lines {earlier.line} and {row.line} are the same task, with answers {cut(earlier.answer)} "
                f"and {cut(row.answer)}; remove one, name a column in source.key that tells them apart, or "
                "set source.procedural = true where punctuation does"
            )
        skills.setdefault(row.skill, []).append(row)
    return Table(
        skills=skills,
        answers={key: row.answer for key, row in first.items()},
        columns=sorted(set[str]().union(*(row.values for row in rows))),
        words=frequent([row.own for row in first.values()]),
        keys={columns.same(row.prompt): row.key for row in reversed(rows)},
        documents={key: str(text) for key, row in first.items() if (text := row.values.get(columns.document))},
        checks={key: row.checks for key, row in first.items() if row.checks},
    )


def overlap(table: Table, part: Callable[[str], object]) -> tuple[Row, Row] | None:
    """Two rows that ask the same under keys of different splits, in the order of the file; None where there are none.

    Args:
        table: the file.
        part: gives the split of a key.
    """
    asked: dict[str, Row] = {}
    for row in sorted((row for rows in table.skills.values() for row in rows), key=lambda row: row.line):
        other = asked.setdefault(identity(row.prompt), row)
        if other.key != row.key and part(other.key) != part(row.key):
            return other, row
    return None


def lines(path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give numbers, from 1, and rows of a file: Parquet, CSV, TSV and gzip by their endings, any other as JSON Lines.

    Raises:
        PartError: it is none, with the line.
    """
    readers: Mapping[str, Reader] = {
        ".parquet": _parquet,
        ".csv": Delimited(","),
        ".tsv": Delimited("\t"),
        ".gz": _gzipped,
    }
    return readers.get(Path(path).suffix.lower(), _plain)(path)


def flat(path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give rows as `lines` does, and what is inside their lists and objects as columns: `choices.0.text`."""
    for number, values in lines(path):
        yield number, {**values, **{name: cell for column in values for name, cell in _leaves(column, values[column])}}


def _leaves(name: str, value: object) -> Iterator[tuple[str, object]]:
    """Texts and numbers in a value, under names that lead there."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if inner is None:
        yield name, value
        return
    for key, part in inner:
        yield from _leaves(f"{name}.{key}", part)


def _plain(path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    with Path(path).open("rb") as file:
        yield from _jsonl(path, file.readline)


def _gzipped(path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give rows of JSON Lines that gzip compressed."""
    with gzip.open(path) as file:
        try:
            yield from _jsonl(path, file.readline)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise PartError(f"{path}: not a whole gzip file: {error}; compress it again") from None


def _jsonl(path: str, readline: Callable[[int], bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give line numbers, from 1, and objects; empty lines are skipped."""
    number = 0
    while line := readline(LONGEST + 1):
        number += 1
        if len(line) > LONGEST:
            raise PartError(f"{path}:{number}: longer than {LONGEST:,} bytes; write one task a line")
        if not line.strip():
            continue
        try:
            value = json.loads(line.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise PartError(f"{path}:{number}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
        except (ValueError, RecursionError) as error:
            raise PartError(f"{path}:{number}: not JSON: {error}; write one object a line") from None
        if not isinstance(value, dict):
            raise PartError(f"{path}:{number}: {cut(value)} is not an object; write {{...}} on each line")
        yield number, value


def _parquet(path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give row numbers, from 1, and rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise PartError(f"{path}: not a Parquet file: {reason}") from None
    yield from enumerate(rows, start=1)


def _row(path: str, line: int, values: dict[str, Any], columns: Columns) -> Row:
    where = f"{path}:{line}"
    talk = None
    if columns.messages and columns.prompt not in values and values.get(columns.messages) is not None:
        talk, prompt, answer = converse(where, values[columns.messages], values.get(columns.tools))
    else:
        prompt, answer = (_said(where, values, column, columns) for column in (columns.prompt, columns.answer))
        answer = answer.strip()
    skill = _text(where, values, columns.skill, hint='; set source.skill = "" if it has none') if columns.skill else ""
    key = _text(where, values, columns.key) if columns.key else columns.same(prompt)
    features = values.get(FEATURES) or []
    if not isinstance(features, list) or not all(isinstance(f, str) for f in features):
        raise PartError(f"{where}: {FEATURES!r} is {cut(features)}; write a list of texts")
    if columns.traits:
        values = {**values, FEATURES: [*features, *_traits(where, values, columns.traits)]}
    checks = _text(where, values, columns.checks, hint="; set source.checks") if columns.checks else ""
    return Row(line, skill, key, prompt, answer, values, talk, checks)


def _said(where: str, values: Mapping[str, Any], column: str, columns: Columns) -> str:
    """Give a column as text, or a template over columns filled in."""
    if not (columns.templates and is_template(column)):
        return _text(where, values, column)
    text = fill(column, lambda name: _part(where, values, name))
    if not text.strip():
        raise PartError(f"{where}: {column!r} comes to an empty text; fill its columns, or write words around them")
    # a cell at an end may be empty, and what stands before it in the template says nothing then
    return text.strip()


def _part(where: str, values: Mapping[str, Any], column: str) -> str:
    """Give a column as part of a text, which an empty cell may be."""
    if (value := values.get(column, "")) is None or value == "":
        if column not in values:
            raise PartError(f"{where} {lacks(column, values)}")
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (date, Decimal)) else _text(where, values, column, empty=True)


def _traits(where: str, values: Mapping[str, Any], columns: Sequence[str]) -> Iterator[str]:
    for column in columns:
        yield f"{column} {_part(where, values, column).strip()}".strip()


def _text(where: str, values: Mapping[str, Any], column: str, *, hint: str = "", empty: bool = False) -> str:
    """Give a column as text; numbers are written out.

    Args:
        where: file and line, for messages.
        values: the row.
        column: its name.
        hint: a way out where there is no such column.
        empty: whether it may be nothing but space.
    """
    if column not in values:
        raise PartError(f"{where} {lacks(column, values)}{hint}")
    value = values[column]
    if type(value) is str and value.isascii() and value.strip():
        return value
    text = str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
    if not text.strip() and not (empty and isinstance(value, str)):
        raise PartError(f"{where}: {column!r} is {cut(value)}; write a text or a number")
    if re.search("[\ud800-\udfff]", text):
        raise PartError(f"{where}: {column!r} holds half a surrogate pair, which is no character; remove it")
    return text


def lacks(column: str, columns: Collection[str]) -> str:
    """Say that a column is missing, and which there are."""
    return f"has no column {column!r}{known(column, columns)}"


def known(name: str, names: Collection[str]) -> str:
    """List what there is, the nearest name first."""
    ordered = sorted(names)
    listed = ", ".join(ordered[:LISTED]) + (", ..." if len(ordered) > LISTED else "")
    return f"{suggest(name, ordered)}; it has: {listed or 'none'}"


def cut(value: object) -> str:
    """Show a value, but not a page of it."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
