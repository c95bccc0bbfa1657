"""Questions to a SQLite file of yours and the queries that answer them, made from its tables, columns and values."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...memory.errors import PartError, suggest
from ...memory.files import file_digest
from ...memory.parts import explain
from ...memory.records import Task
from ..catalogue import Catalogue, catalogue, finds
from ..hearing import hear
from ..questions import SHAPES, WORDINGS, Query, Shape, Wording, say, write
from ..source import Settings, Source, identity


class Kind(BaseModel):
    """Which questions one skill has."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    shapes: tuple[Shape, ...] = Field(default=SHAPES, min_length=1)
    """What their queries are like: `filter`, `count`, `aggregate`, `top`, `group`, `join`."""
    tables: tuple[str, ...] = ()
    """Tables and views that they are about; all without any."""


class Database(Source):
    """Questions to the tables and views of a SQLite file, which is only read.

    What is asked for has rows that answer it. A task's key is its query, so that two ways of asking are one task.
    """

    wants = Kind

    path: str
    """The file; in a scenario relative to the scenario's folder."""
    longest: int = Field(default=24, ge=1, le=1000)
    """Characters of a text that a question names; longer ones are not asked for."""

    @property
    def prose(self) -> bool:
        """Two questions may look alike without being the same."""
        return False

    def check(self, skill: str, settings: Settings) -> None:
        """Refuse settings that no question meets."""
        kind, known = self._kind(skill, settings), [relation.name for relation in self._catalogue().schema.relations]
        for name in kind.tables:
            if name not in known:
                listed = ", ".join(known[:10])
                raise PartError(
                    f"skills.{skill}.task: {self.path} has no table {name!r} with rows{suggest(name, known)}; "
                    f"it has: {listed or 'none'}"
                )
        if not self._mine(skill, settings):
            raise PartError(
                f"skills.{skill}.task: {self.path} has nothing to ask in the shapes {', '.join(kind.shapes)}; 'join' "
                "needs a foreign key, 'aggregate' and 'top' numbers or dates, 'group' a column whose values repeat"
            )

    def size(self, skill: str, settings: Settings) -> int:
        """Count the questions of a skill."""
        return len(self._mine(skill, settings))

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
        """Draw distinct questions by shuffling them; each is worded in one of two ways."""
        mine, wanted, unwanted = list(self._mine(skill, settings).items()), set(having), set(lacking)
        tasks: list[Task] = []
        for key, query in rng.sample(mine, len(mine)):
            if len(tasks) >= count:
                break
            if not allowed(key):
                continue
            wording = rng.choice(WORDINGS)
            found = features(query, wording)
            if wanted <= found and unwanted.isdisjoint(found):
                tasks.append(_task(skill, query, wording, key))
        return tasks

    def holds(self, key: str) -> bool:
        """Whether this query answers a question that can be drawn."""
        return any(key in queries for queries in self._catalogue().queries.values())

    def solve(self, task: Task) -> str | None:
        """Read the question word by word and write the query that it asks for; None where that finds nothing."""
        heard = hear(task.prompt, self._catalogue().schema.relations)
        return query if heard and self._finds(query := write(heard.query)) else None

    def adopt(self, skill: str, settings: Settings, prompt: str, answer: str) -> Task:
        """Take a question that somebody else wrote: as it would be drawn, or in words of their own.

        In words of their own it is the same task as a drawn one that has its query.
        """
        kind = self._kind(skill, settings)
        if (heard := hear(prompt, self._catalogue().schema.relations)) is not None:
            if heard.query.shape not in kind.shapes or (kind.tables and heard.query.relation.name not in kind.tables):
                raise ValueError(f"{prompt[:80]!r} is no task of skill {skill!r}")
            if not self._finds(write(heard.query)):
                raise ValueError(f"{prompt[:80]!r} finds nothing in {self.path}, or far too much")
            return _task(skill, heard.query, heard.wording, answer)
        plain = " ".join(answer.strip().rstrip(";").split())
        return Task(skill=skill, prompt=prompt, answer=answer, key=plain if self.holds(plain) else identity(prompt))

    def remarks(self) -> Sequence[str]:
        """Say which tables nothing is asked about, and why."""
        return self._catalogue().schema.left

    def fingerprint(self) -> str:
        """Digest of the file's bytes."""
        return file_digest(self._place())

    def _kind(self, skill: str, settings: Settings) -> Kind:
        try:
            return Kind.model_validate(dict(settings))
        except ValidationError as error:
            raise PartError(explain(error, where=f"skills.{skill}.task: source 'database'", model=Kind)) from None

    def _mine(self, skill: str, settings: Settings) -> Mapping[str, Query]:
        kind, queries = self._kind(skill, settings), self._catalogue().queries
        return {
            key: query
            for shape in sorted(set(kind.shapes))
            for key, query in queries.get(shape, {}).items()
            if not kind.tables or query.relation.name in kind.tables
        }

    def _finds(self, query: str) -> bool:
        """Whether a query has an answer, be it one that is drawn or not."""
        return self.holds(query) or finds(*self._file(), query)

    def _catalogue(self) -> Catalogue:
        return catalogue(*self._file(), self.longest)

    def _file(self) -> tuple[str, int, int]:
        """Where the file is, when it was written and how long it is."""
        stat = (path := self._place()).stat()
        return str(path.absolute()), stat.st_mtime_ns, stat.st_size

    def _place(self) -> Path:
        with suppress(OSError, RuntimeError, ValueError):  # a name that is too long, or the home of nobody
            if (path := Path(self.path).expanduser()).is_file():
                return path
        raise PartError(f"source.path: no such file: {self.path:.500}; a path is relative to the scenario's folder")


def features(query: Query, wording: Wording) -> frozenset[str]:
    """What is true of a question: the parts of its query, and how it is worded."""
    return frozenset(_features(query, wording))


def _features(query: Query, wording: Wording) -> Iterator[str]:
    yield query.shape
    yield f"table {query.relation.name}"
    yield f"says {wording}"
    yield from (f"shows {name}" for name in query.shown)
    if query.shown:
        yield f"shows {len(query.shown)}"
    if query.shape == "group":
        yield f"by {query.by}"
    if query.measured is not None:
        yield f"{query.function or 'order'} of {query.measured.name}"
    if query.function:
        yield query.function
    if query.most:
        yield f"limit {query.most}"
        yield "descending" if query.descending else "ascending"
    if query.link is not None:
        yield f"through {query.link.reference.column}"
    if (condition := query.condition) is None:
        yield "no condition"
    else:
        yield condition.how
        yield f"condition on {condition.column.name}"


def _task(skill: str, query: Query, wording: Wording, answer: str) -> Task:
    return Task(
        skill=skill,
        key=write(query),
        features=tuple(sorted(features(query, wording))),
        prompt=say(query, wording),
        answer=answer,
    )
