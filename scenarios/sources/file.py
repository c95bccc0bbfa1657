"""Tasks from a JSON Lines or Parquet file of your own, one row a task.

The file is read once and kept by path, time, size and columns. Rows are ordered by key before anything is drawn, so
the order of the file changes nothing. A prompt is the same task however it is spaced or capitalised, and prose however
it is punctuated.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from ...memory.errors import PartError, suggest
from ...memory.files import file_digest
from ...memory.parts import explain
from ...memory.records import Task
from ...memory.talk import Talk
from ..conversation import converse
from ..features import frequent, seen, told
from ..source import Settings, Source, identity
from ..text import normal

FEATURES = "features"
"""Optional column: a list of texts, what is true of the row in your own terms."""
LONGEST = 1 << 20
"""Bytes a line may have."""
LISTED = 10
"""Names that a message lists."""


class Filter(BaseModel):
    """Which rows one skill takes."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    named: str | None = None
    """Value of the skill column; the skill's own name by default."""
    where: dict[str, str | int | float | bool] = {}
    """Columns and the values they must have."""


class Columns(NamedTuple):
    """Which column holds what."""

    prompt: str
    answer: str
    skill: str
    key: str
    prose: bool
    """Whether what they hold is prose."""
    messages: str
    tools: str

    def same(self, prompt: str) -> str:
        """What a prompt has in common with the same task written otherwise."""
        return identity((normal(prompt) if self.prose else "") or prompt)


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

    @property
    def own(self) -> str:
        """The text that words are looked for in."""
        return self.prompt if self.talk is None else self.talk.own()


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


class File(Source):
    """Rows of a JSON Lines (`.jsonl`) or Parquet (`.parquet`) file."""

    path: str
    """The file; in a scenario relative to the scenario's folder, elsewhere to the current one."""
    prompt: str = "prompt"
    """Column of the question."""
    answer: str = "answer"
    """Column of the reference answer."""
    messages: str = "messages"
    """Column of a conversation whose last turn is the reference answer; read in rows that have no prompt column."""
    tools: str = "tools"
    """Column of the functions that may be called in a conversation."""
    skill: str = "skill"
    """Column that names the skill; empty when every skill takes its rows by `where` alone."""
    key: str = ""
    """Column that says which rows are the same task; empty takes the prompt, regardless of case, spacing and, in
    prose, punctuation."""
    procedural: bool = False
    """Whether tasks may look alike without being the same, as calculations and codes do."""

    @property
    def prose(self) -> bool:
        """Whether tasks are prose."""
        return not self.procedural

    def check(self, skill: str, settings: Settings) -> None:
        """Refuse settings that no row meets."""
        table, chosen = self._table(), self._filter(skill, settings)
        for column in chosen.where:
            if column not in table.columns:
                raise PartError(f"skills.{skill}.task.where: {self.path} {_lacks(column, table.columns)}")
        if chosen.named is not None and not self.skill:
            raise PartError(f"skills.{skill}.task: named {chosen.named!r} needs a skill column; set source.skill")
        name = self._value(skill, chosen)
        if name not in table.skills:
            known = _known(name, table.skills)
            raise PartError(f"skills.{skill}: no row of {self.path} has {self.skill} {name!r}{known}")
        if not self._rows(skill, settings):
            raise PartError(f"skills.{skill}.task.where: no row of {self.path} meets {chosen.where!r}")

    def size(self, skill: str, settings: Settings) -> int:
        """Count distinct keys."""
        return len(self._rows(skill, settings))

    def draw(
        self,
        skill: str,
        settings: Settings,
        count: int,
        rng: Random,
        *,
        allowed: Callable[[str], bool],
        having: Sequence[str] = (),
        lacking: Sequence[str] = (),
    ) -> list[Task]:
        """Draw distinct rows by shuffling them."""
        rows, words = self._rows(skill, settings), self._table().words
        wanted, unwanted = set(having), set(lacking)
        tasks: list[Task] = []
        for row in rng.sample(rows, len(rows)):
            if len(tasks) >= count:
                break
            if not allowed(row.key):
                continue
            features = _features(row, words)
            if wanted <= features and unwanted.isdisjoint(features):
                tasks.append(_task(skill, row, features))
        return tasks

    def holds(self, key: str) -> bool:
        """Whether the file has a row with this key."""
        return key in self._table().answers

    def solve(self, task: Task) -> str | None:
        """Look the reference up in the file; None for tasks that somebody else wrote."""
        return self._table().answers.get(task.key)

    def adopt(self, skill: str, settings: Settings, prompt: str, answer: str) -> Task:
        """Take a row that somebody else wrote: the file's own task where it has that prompt."""
        if any(row.talk for row in self._rows(skill, settings)[:1]):
            raise ValueError("tasks of this skill are conversations, which are drawn from the file and not written")
        table, own = self._table(), self._columns().same(prompt)
        row = Row(0, skill, table.keys.get(own, own), prompt, answer, {})
        return _task(skill, row, _features(row, table.words))

    def phrase(self, rule: Sequence[str]) -> str:
        """Say features in words, as they are."""
        return " and ".join(rule) or "the whole skill"

    def fingerprint(self) -> str:
        """Digest of the file's bytes."""
        self._table()
        return file_digest(self._place())

    def _table(self) -> Table:
        stat = (path := self._place()).stat()
        try:
            return _read(str(path.absolute()), stat.st_mtime_ns, stat.st_size, self._columns())
        except OSError as error:
            raise PartError(f"source.path: {self.path} cannot be read: {error.strerror}") from None

    def _place(self) -> Path:
        with suppress(OSError, RuntimeError, ValueError):  # a name that is too long, or the home of nobody
            if (path := Path(self.path).expanduser()).is_file():
                return path
        raise PartError(f"source.path: no such file: {self.path:.500}; a path is relative to the scenario's folder")

    def _columns(self) -> Columns:
        return Columns(self.prompt, self.answer, self.skill, self.key, self.prose, self.messages, self.tools)

    def _filter(self, skill: str, settings: Settings) -> Filter:
        try:
            return Filter.model_validate(dict(settings))
        except ValidationError as error:
            raise PartError(explain(error, where=f"skills.{skill}.task: source 'file'", model=Filter)) from None

    def _value(self, skill: str, chosen: Filter) -> str:
        """What the skill column says for a skill."""
        return (chosen.named or skill) if self.skill else ""

    def _rows(self, skill: str, settings: Settings) -> list[Row]:
        """Rows of a skill, one a key, in the order of their keys."""
        chosen = self._filter(skill, settings)
        rows = self._table().skills.get(self._value(skill, chosen), ())
        met = {row.key: row for row in rows if all(row.values.get(c) == v for c, v in chosen.where.items())}
        return list(met.values())


@lru_cache(maxsize=4)
def _read(path: str, changed: int, size: int, columns: Columns) -> Table:
    """Read and check a file; time and size are there to notice that it changed."""
    del changed, size
    lines = _parquet(path) if path.endswith(".parquet") else _jsonl(path)
    rows = sorted((_row(path, line, values, columns) for line, values in lines), key=lambda row: (row.key, row.line))
    if not rows:
        raise PartError(f"{path}: no rows; write one a task, with {columns.prompt!r} and {columns.answer!r}")
    skills: dict[str, list[Row]] = {}
    first: dict[str, Row] = {}
    for row in rows:
        earlier = first.setdefault(row.key, row)
        if earlier.answer != row.answer:
            raise PartError(
                f"{path}: lines {earlier.line} and {row.line} are the same task, with answers {_cut(earlier.answer)} "
                f"and {_cut(row.answer)}; remove one, name a column in source.key that tells them apart, or "
                "set source.procedural = true where punctuation does"
            )
        skills.setdefault(row.skill, []).append(row)
    return Table(
        skills=skills,
        answers={key: row.answer for key, row in first.items()},
        columns=sorted(set[str]().union(*(row.values for row in rows))),
        words=frequent([row.own for row in first.values()]),
        keys={columns.same(row.prompt): row.key for row in reversed(rows)},
    )


def _jsonl(path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give line numbers, from 1, and objects; empty lines are skipped."""
    with Path(path).open("rb") as file:
        number = 0
        while line := file.readline(LONGEST + 1):
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
                raise PartError(f"{path}:{number}: {_cut(value)} is not an object; write {{...}} on each line")
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
    if columns.prompt not in values and values.get(columns.messages) is not None:
        talk, prompt, answer = converse(where, values[columns.messages], values.get(columns.tools))
    else:
        prompt, answer = _text(where, values, columns.prompt), _text(where, values, columns.answer).strip()
    skill = _text(where, values, columns.skill, hint='; set source.skill = "" if it has none') if columns.skill else ""
    key = _text(where, values, columns.key) if columns.key else columns.same(prompt)
    features = values.get(FEATURES) or []
    if not isinstance(features, list) or not all(isinstance(f, str) for f in features):
        raise PartError(f"{where}: {FEATURES!r} is {_cut(features)}; write a list of texts")
    return Row(line, skill, key, prompt, answer, values, talk)


def _text(where: str, values: Mapping[str, Any], column: str, *, hint: str = "") -> str:
    """Give a column as text; numbers are written out."""
    if column not in values:
        raise PartError(f"{where} {_lacks(column, values)}{hint}")
    value = values[column]
    if type(value) is str and value.isascii() and value.strip():
        return value
    text = str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
    if not text.strip():
        raise PartError(f"{where}: {column!r} is {_cut(value)}; write a text or a number")
    if re.search("[\ud800-\udfff]", text):
        raise PartError(f"{where}: {column!r} holds half a surrogate pair, which is no character; remove it")
    return text


def _lacks(column: str, columns: Collection[str]) -> str:
    return f"has no column {column!r}{_known(column, columns)}"


def _known(name: str, known: Collection[str]) -> str:
    """List what there is, the nearest name first."""
    names = sorted(known)
    listed = ", ".join(names[:LISTED]) + (", ..." if len(names) > LISTED else "")
    return f"{suggest(name, names)}; it has: {listed or 'none'}"


def _cut(value: object) -> str:
    """Show a value, but not a page of it."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _features(row: Row, words: Collection[str]) -> set[str]:
    """What the file says of a row, and what can be seen in any."""
    found = {str(feature) for feature in row.values.get(FEATURES) or ()} | seen(row.own, words)
    return found | (told(row.talk, row.answer) if row.talk else set())


def _task(skill: str, row: Row, features: Collection[str]) -> Task:
    return Task(
        skill=skill, key=row.key, prompt=row.prompt, answer=row.answer, features=tuple(sorted(features)), talk=row.talk
    )
