"""An evaluation that is a program in Python of the user's own."""

from pathlib import Path

from pydantic import Field

from ..evaluation import Evaluation


class Program(Evaluation):
    """A file that Python runs as `FILE STUDENT OUT`, with `--limit N` behind where there is a limit.

    `STUDENT` is a folder that transformers loads, `OUT` the file that a line of JSON for every item belongs in.
    """

    path: str = Field(min_length=1)
    """The file."""

    @property
    def file(self) -> Path:
        """The file."""
        return Path(self.path)

    def command(self, student: Path, out: Path, limit: int | None) -> list[str]:
        """The file, the student and the items' file."""
        return [self.path, str(student), str(out), *(["--limit", str(limit)] if limit else [])]
