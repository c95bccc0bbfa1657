"""Tasks from labelled pairs of records: entity matching, imputation and schema matching."""

from pathlib import Path

from pydantic import Field

from ...memory.errors import PartError
from ...memory.files import digest, file_digest
from ..pairs import Pairs as Reading
from ..rows import Columns, Reader
from ..tabular import Filed


class Pairs(Filed):
    """Lines of `COL name VAL value …`, a tab, another record, a tab, and whether both are the same: 1 or 0.

    A skill is of tasks `match`, `impute` or `schema`, and of the first may take those pairs that are `near`, which have
    two attributes or more alike: `task = { named = "match", where = { near = true } }`.
    """

    more: tuple[str, ...] = ()
    """Further files of pairs, in the folder of the first unless their paths are absolute."""
    attributes: tuple[str, ...] = ()
    """Attributes that tasks show, in this order; empty for all."""
    shares: bool = False
    """Whether a task of matching shows how much the values share, 00 to 99, instead of the values."""
    impute: tuple[str, ...] = ()
    """Attributes that are left away and asked for."""
    schema_tasks: int = Field(default=0, ge=0, le=100_000)
    """How many times it is asked whether values of both sides are of one attribute."""
    skill: str = "task"
    """Column that names the skill."""
    procedural: bool = True
    """Whether tasks may look alike without being the same, as records do."""

    @property
    def reader(self) -> Reader:
        """How the tasks are made."""
        more = self._more()
        return Reading(
            attributes=self.attributes,
            shares=self.shares,
            more=tuple(map(str, more)),
            changed=max((path.stat().st_mtime_ns for path in more), default=0),
            missing=self.impute,
            schema=self.schema_tasks,
        )

    def fingerprint(self) -> str:
        """Digest of all files."""
        self.table()
        return digest([file_digest(path) for path in (self.place(), *self._more())])

    def columns(self) -> Columns:
        """Say which column holds what."""
        return Columns(
            prompt="prompt",
            answer="answer",
            skill=self.skill,
            key=self.key,
            prose=self.prose,
            document=self.context,
            messages="",
            tools="",
            checks=self.checks,
        )

    def _more(self) -> list[Path]:
        found = [self.place().absolute().parent / name for name in self.more]
        if missing := [path for path in found if not path.is_file()]:
            raise PartError(f"source.more: no such file: {missing[0]}; a path is relative to the folder of source.path")
        return found
