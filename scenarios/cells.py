"""Cells of a dirty table as tasks of error detection, next to the clean values that somebody wrote down.

The table is a CSV file; the clean values are another, with columns `tid`, `attribute` and `correct_val`, as the data
sets of HoloClean have them. A task shows the cell and not its row, so the same value is asked about once.

Source: error detection as a question about one cell: Narayan et al. 2022, https://arxiv.org/abs/2205.09911.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from ..memory.errors import PartError
from .delimited import Delimited
from .rows import FEATURES, cut

CLEAN, ERROR = "clean", "error"
"""The two answers."""
NUMBER, ATTRIBUTE, VALUE = "tid", "attribute", "correct_val"
"""Columns of the file of clean values."""
DIGITS = 18
"""Of the number of a row, at most."""


class Cell(NamedTuple):
    """A value of a column, wherever it stands in it."""

    attribute: str
    value: str


class Judged(NamedTuple):
    """A table as read, without its empty cells."""

    labels: Mapping[Cell, str]
    """Whether a value is what it should be, for those that are it or are not wherever they stand."""
    counts: Mapping[Cell, int]
    """Rows that have the value in this column."""
    lines: Mapping[Cell, int]
    """The first line that has it."""
    torn: int
    """Values that are right in one row and wrong in another."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Reads the distinct cells of a dirty table."""

    clean: str
    changed: int
    """When the clean values were written; they are read again when that changes."""

    def __call__(self, path: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Give lines, from 1, and a row for each distinct cell.

        Raises:
            PartError: a cell has no clean value, with its line and column.
        """
        found = judged(path, self.clean, self.changed)
        for cell, label in found.labels.items():
            yield (
                found.lines[cell],
                {
                    "prompt": question(cell),
                    "answer": label,
                    "attribute": cell.attribute,
                    "rows": found.counts[cell],
                    FEATURES: [f"attribute {cell.attribute}"],
                },
            )


def question(cell: Cell) -> str:
    """Ask about a cell."""
    return f"{cell.attribute}: {cell.value}"


@lru_cache(maxsize=4)
def judged(path: str, clean: str, changed: int) -> Judged:
    """Say of each distinct cell whether it is what it should be.

    Raises:
        PartError: a file cannot be read, or a cell has no clean value.
    """
    del changed
    right = _clean(clean)
    counts: Counter[Cell] = Counter()
    wrong: dict[Cell, set[bool]] = {}
    lines: dict[Cell, int] = {}
    for number, (line, row) in enumerate(Delimited(",")(path)):
        for attribute, value in row.items():
            cell = Cell(attribute, value)
            if not value.strip():
                continue
            if (number, attribute) not in right:
                raise PartError(f"{path}:{line}: {attribute!r} of row {number} has no clean value in {clean}")
            counts[cell] += 1
            lines.setdefault(cell, line)
            wrong.setdefault(cell, set()).add(value != right[number, attribute])
    labels = {cell: ERROR if True in said else CLEAN for cell, said in wrong.items() if len(said) == 1}
    return Judged(labels, counts, lines, len(wrong) - len(labels))


def _clean(path: str) -> dict[tuple[int, str], str]:
    """Clean values by row, from 0, and column."""
    found: dict[tuple[int, str], str] = {}
    for line, row in Delimited(",")(path):
        if missing := [name for name in (NUMBER, ATTRIBUTE, VALUE) if name not in row]:
            raise PartError(f"{path}:1 has no column {missing[0]!r}; clean values need {NUMBER}, {ATTRIBUTE}, {VALUE}")
        if not (row[NUMBER].isdecimal() and len(row[NUMBER]) <= DIGITS):
            raise PartError(f"{path}:{line}: {NUMBER!r} is {cut(row[NUMBER])}; write the number of a row, from 0")
        found[int(row[NUMBER]), row[ATTRIBUTE]] = row[VALUE]
    return found
