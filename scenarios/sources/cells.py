"""Tasks of error detection: is this cell of a dirty table what it should be."""

from pathlib import Path

from ...memory.errors import PartError
from ...memory.files import digest, file_digest
from ..cells import Cells as Reading
from ..cells import judged
from ..rows import Columns, Reader
from ..tabular import Filed


class Cells(Filed):
    """Distinct cells of a CSV file and whether they are `clean` or an `error`, by a file of clean values."""

    clean: str
    """CSV file with `tid`, `attribute` and `correct_val`, in the folder of the table unless it is an absolute path."""
    skill: str = ""
    """Column that names the skill, `attribute` for one; empty when every skill takes its cells by `where` alone, as in
    `where = { answer = "error" }`."""
    procedural: bool = True
    """Whether cells may look alike without being the same, as codes and names do."""

    @property
    def reader(self) -> Reader:
        """How the cells are read."""
        path = self._clean()
        return Reading(str(path), path.stat().st_mtime_ns)

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

    def fingerprint(self) -> str:
        """Digest of both files."""
        self.table()
        return digest([file_digest(self.place()), file_digest(self._clean())])

    def remarks(self) -> tuple[str, ...]:
        """Say how many values are no tasks."""
        path = self._clean()
        found = judged(str(self.place().absolute()), str(path), path.stat().st_mtime_ns)
        if not found.torn:
            return ()
        return (
            f"{self.path}: left out: {found.torn:,} values that are right in one row and wrong in another, which "
            "no cell can tell",
        )

    def _clean(self) -> Path:
        path = self.place().absolute().parent / self.clean
        if path.is_file():
            return path
        raise PartError(f"source.clean: no such file: {path}; a path is relative to the table's folder")
