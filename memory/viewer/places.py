"""Addresses of pages, and which folder a run's name stands for."""

from pathlib import Path
from urllib.parse import quote, urlencode

from ..errors import RunError
from ..reading import NAME, shelf
from .markup import safe

DIGITS = 15
"""Of the largest number in an address; SQLite's integers and exact floats hold it."""


class Library:
    """The runs that may be looked at: all in a folder, or only those named.

    Args:
        runs: a folder of runs, or the folders of some.
    """

    def __init__(self, runs: Path | list[Path]) -> None:
        self.root = runs if isinstance(runs, Path) else None
        self._named = {} if isinstance(runs, Path) else {run.resolve().name: run.resolve() for run in runs}

    def all(self) -> list[Path]:
        """Folders of all runs, newest first."""
        if self.root is not None:
            return shelf(self.root)
        return [run for _, run in sorted(self._named.items(), reverse=True)]

    def find(self, name: str) -> Path:
        """Folder of one run.

        Raises:
            RunError: no such run, or a name that could lead out of the folder.
        """
        if NAME.fullmatch(name):
            path = self._named.get(name) if self.root is None else self.root / name
            if path is not None and self._inside(path) and (path / "session.json").is_file():
                return path
        raise RunError(f"no run {name!r}; the first page lists the ones there are")

    def _inside(self, path: Path) -> bool:
        return self.root is None or (not path.is_symlink() and path.resolve().parent == self.root.resolve())


def to(run: str, *parts: str | int, **query: str | int | None) -> str:
    """Address of a page of a run; what is None is left out of the query."""
    path = "/".join(["/runs", *(quote(str(part), safe="") for part in (run, *parts))])
    asked = {key: value for key, value in query.items() if value is not None}
    return f"{path}?{urlencode(asked)}" if asked else path


def whole(text: str | None) -> int | None:
    """A number from an address, at least 0; None where there is none, or one that nothing counts up to."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= DIGITS else None


def link(address: str, text: object) -> str:
    """A link to an address of ours; the text is plain and becomes safe here."""
    return f'<a href="{safe(address)}">{safe(text)}</a>'


def wrap(address: str, html: str) -> str:
    """A link around HTML."""
    return f'<a href="{safe(address)}">{html}</a>'
