"""What every source has in common whose tasks are rows that are read once: skills take rows by name and by values.

Rows are ordered by key before anything is drawn, so the order they come in changes nothing. A prompt is the same task
however it is spaced or capitalised, and prose however it is punctuated.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..memory.errors import PartError
from ..memory.files import file_digest
from ..memory.parts import explain
from ..memory.records import Task
from .rows import Columns, Reader, Row, Table, known, lacks, lines, overlap, read
from .source import Settings, Source

Cell = str | int | float | bool
"""What a scenario may ask a column to be."""


class Filter(BaseModel):
    """Which rows one skill takes."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    named: str | None = None
    """Value of the skill column; the skill's own name by default."""
    where: dict[str, Cell] = {}
    """Columns and the values they must have."""


class Tabular(Source):
    """Base of sources whose tasks are rows."""

    wants = Filter

    skill: str = "skill"
    """Column that names the skill; empty when every skill takes its rows by `where` alone."""
    key: str = ""
    """Column that says which rows are the same task; empty takes the prompt, regardless of case, spacing and, in
    prose, punctuation."""
    context: str = Field(default="", exclude_if=lambda column: not column)
    """Column of what a teacher may read of a row and the student does not see: a passage, a program, notes."""
    checks: str = Field(default="", exclude_if=lambda column: not column)
    """Column of what the verifier goes by beside the reference: tests of a function, a JSON Schema, an SQL script."""
    procedural: bool = False
    """Whether tasks may look alike without being the same, as calculations and codes do."""

    @property
    @abstractmethod
    def origin(self) -> str:
        """Where the rows are, for messages."""

    @abstractmethod
    def table(self) -> Table:
        """Read the rows, or give what was read.

        Raises:
            PartError: they cannot be read, or one of them is wrong.
        """

    @abstractmethod
    def columns(self) -> Columns:
        """Say which column holds what."""

    def meets(self, cell: object, wanted: Cell) -> bool:
        """Whether a cell has the value that a skill asks for."""
        return cell == wanted

    @property
    def prose(self) -> bool:
        """Whether tasks are prose."""
        return not self.procedural

    def check(self, skill: str, settings: Settings) -> None:
        """Refuse settings that no row meets."""
        table, chosen = self.table(), self._filter(skill, settings)
        if self.context and self.context not in table.columns:
            raise PartError(f"source.context: {self.origin} {lacks(self.context, table.columns)}")
        for column in chosen.where:
            if column not in table.columns:
                raise PartError(f"skills.{skill}.task.where: {self.origin} {lacks(column, table.columns)}")
        if chosen.named is not None and not self.skill:
            raise PartError(f"skills.{skill}.task: named {chosen.named!r} needs a skill column; set source.skill")
        name = self._value(skill, chosen)
        if name not in table.skills:
            there = known(name, table.skills)
            raise PartError(f"skills.{skill}: no row of {self.origin} has {self.skill} {name!r}{there}")
        if not self._rows(skill, settings):
            raise PartError(f"skills.{skill}.task.where: no row of {self.origin} meets {chosen.where!r}")

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
        rows, words = self._rows(skill, settings), self.table().words
        wanted, unwanted = set(having), set(lacking)
        tasks: list[Task] = []
        for row in rng.sample(rows, len(rows)):
            if len(tasks) >= count:
                break
            if not allowed(row.key):
                continue
            features = row.features(words)
            if wanted <= features and unwanted.isdisjoint(features):
                tasks.append(row.task(skill, features))
        return tasks

    def holds(self, key: str) -> bool:
        """Whether there is a row with this key."""
        return key in self.table().answers

    def solve(self, task: Task) -> str | None:
        """Look the reference up among the rows; None for tasks that somebody else wrote."""
        return self.table().answers.get(task.key)

    def adopt(self, skill: str, settings: Settings, prompt: str, answer: str) -> Task:
        """Take a row that somebody else wrote: the task of the rows where one has that prompt."""
        if any(row.talk for row in self._rows(skill, settings)[:1]):
            raise ValueError("tasks of this skill are conversations, which are drawn from the file and not written")
        table, own = self.table(), self.columns().same(prompt)
        key = table.keys.get(own, own)
        row = Row(0, skill, key, prompt, answer, {}, checks=table.checks.get(key, ""))
        return row.task(skill, row.features(table.words))

    def overlap(self, part: Callable[[str], object]) -> str | None:
        """Say which rows ask the same in two splits, which only a column of keys can bring about."""
        if not self.key or (found := overlap(self.table(), part)) is None:
            return None
        first, second = found
        return (
            f"source.key: lines {first.line} and {second.line} of {self.origin} ask the same, {first.prompt[:60]!r}, "
            f"and their keys {first.key!r} and {second.key!r} fall into two splits; remove one, or leave "
            "source.key away"
        )

    def document(self, key: str) -> str:
        """What the row has in the column of documents."""
        return self.table().documents.get(key, "")

    def phrase(self, rule: Sequence[str]) -> str:
        """Say features in words, as they are."""
        return " and ".join(rule) or "the whole skill"

    def _filter(self, skill: str, settings: Settings) -> Filter:
        try:
            return Filter.model_validate(dict(settings))
        except ValidationError as error:
            raise PartError(explain(error, where=f"skills.{skill}.task: source {self.name!r}", model=Filter)) from None

    def _value(self, skill: str, chosen: Filter) -> str:
        """What the skill column says for a skill."""
        return (chosen.named or skill) if self.skill else ""

    def _rows(self, skill: str, settings: Settings) -> list[Row]:
        """Rows of a skill, one a key, in the order of their keys."""
        chosen = self._filter(skill, settings)
        rows = self.table().skills.get(self._value(skill, chosen), ())
        met = {row.key: row for row in rows if all(self.meets(row.values.get(c), v) for c, v in chosen.where.items())}
        return list(met.values())


class Columned(Tabular):
    """Base of those whose rows have a question and its answer, or a conversation, in columns of their own."""

    prompt: str = "prompt"
    """Column of the question."""
    answer: str = "answer"
    """Column of the reference answer."""
    messages: str = Field(default="messages", exclude_if=lambda column: column == "messages")
    """Column of a conversation whose last turn is the reference answer; read in rows that have no prompt column."""
    tools: str = Field(default="tools", exclude_if=lambda column: column == "tools")
    """Column of the functions that may be called in a conversation."""

    def columns(self) -> Columns:
        """Say which column holds what."""
        return Columns(
            prompt=self.prompt,
            answer=self.answer,
            skill=self.skill,
            key=self.key,
            prose=self.prose,
            document=self.context,
            messages=self.messages,
            tools=self.tools,
            checks=self.checks,
        )


class Filed(Tabular):
    """Base of those whose rows are in one file."""

    path: str
    """The file; in a scenario relative to the scenario's folder, elsewhere to the current one."""

    @property
    def origin(self) -> str:
        """The file, as the scenario has it."""
        return self.path

    @property
    def reader(self) -> Reader:
        """How its rows are read."""
        return lines

    def fingerprint(self) -> str:
        """Digest of the file's bytes."""
        self.table()
        return file_digest(self.place())

    def table(self) -> Table:
        """Read the file, again where it changed."""
        stat = (path := self.place()).stat()
        try:
            return read(str(path.absolute()), stat.st_mtime_ns, stat.st_size, self.columns(), self.reader)
        except OSError as error:
            raise PartError(f"source.path: {self.path} cannot be read: {error.strerror}") from None

    def place(self) -> Path:
        """Find the file."""
        with suppress(OSError, RuntimeError, ValueError):  # a name that is too long, or the home of nobody
            if (path := Path(self.path).expanduser()).is_file():
                return path
        raise PartError(f"source.path: no such file: {self.path:.500}; a path is relative to the scenario's folder")
