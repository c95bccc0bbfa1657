"""A CSV or TSV file as rows: every cell is a text, and every row has the cells that the header names."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..memory.errors import PartError

LONGEST = 1 << 20
"""Characters a cell may have."""


@dataclass(frozen=True, slots=True)
class Delimited:
    """Reads a file of cells between delimiters."""

    delimiter: str
    quote: str = '"'
    """What stands around a cell that holds a delimiter or a line break; empty where nothing does."""
    names: tuple[str, ...] = ()
    """Names of the columns, where the file has no header."""

    def __call__(self, path: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Give the line that a row begins on, from 1, and the row; empty lines are skipped.

        Raises:
            PartError: it cannot be read as such, with the line.
        """
        rows = self._rows(path, whole(path))
        names = self.names or _header(path, next(rows, (1, []))[1])
        for line, cells in rows:
            if len(cells) != len(names):
                raise PartError(
                    f"{path}:{line} has {len(cells)} cells where the columns are {len(names)} "
                    f"({', '.join(names[:5])}{', ...' if len(names) > 5 else ''}); put what holds "
                    f"a {self.delimiter!r} in quotes, or use source 'table', which has source.delimiter"
                )
            yield line, dict(zip(names, cells, strict=True))

    def _rows(self, path: str, text: str) -> Iterator[tuple[int, list[str]]]:
        csv.field_size_limit(LONGEST)
        rows = csv.reader(
            io.StringIO(text, newline=""),
            delimiter=self.delimiter,
            quotechar=self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            strict=True,
        )
        while True:
            line = rows.line_num + 1
            try:
                cells = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                raise PartError(
                    f"{path}:{line}: not a row of cells: {error}; mend it, or use source 'table' with its source.quote"
                ) from None
            if cells:
                yield line, cells


def whole(path: str) -> str:
    """Read a file of UTF-8, without the mark that it may begin with.

    Raises:
        PartError: it is none, with the line.
    """
    raw = Path(path).read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # a mark at its begin is not counted
        at = error.start + len(raw) - len(error.object)
        line = raw.count(b"\n", 0, at) + 1
        raise PartError(f"{path}:{line}: byte {at} of the file is not UTF-8; save the file as UTF-8") from None


def _header(path: str, cells: list[str]) -> tuple[str, ...]:
    names = tuple(cell.strip() for cell in cells)
    if "" in names:
        raise PartError(
            f"{path}:1: column {names.index('') + 1} of the header has no name; name it, or use source 'table', which "
            "has source.names"
        )
    if (twice := next((name for name in names if names.count(name) > 1), None)) is not None:
        raise PartError(
            f"{path}:1: the header names {twice!r} twice; rename one, or use source 'table', which has source.names"
        )
    return names
