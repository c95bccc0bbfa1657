"""The rows of a file that somebody brings: what each asks and answers, or why it cannot be read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...memory.errors import PartError
from ...memory.talk import Question
from ...scenarios.rows import lines
from ...scenarios.shapes import Shape, shape_of
from ...training.curation.pool import Row

FIRST = 100
"""Rows among which one has to have columns that are known."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file."""

    number: int
    """Where it stands, from 1."""
    values: Mapping[str, Any]
    row: Row | None
    """None where it cannot be read."""
    fault: str = ""
    """Why, then."""


@dataclass(frozen=True, slots=True)
class Data:
    """A file as read."""

    path: Path
    shape: Shape
    lines: Sequence[Line]

    def rewritten(self, line: Line, *, question: str | None, answer: str | None) -> Line:
        """Give a line in other words."""
        assert line.row is not None
        asked: Question = line.row.question if question is None or not isinstance(line.row.question, str) else question
        said = line.row.answer if answer is None else answer
        values = self.shape.write(line.values, question=question, answer=answer)
        return replace(line, values=values, row=line.row._replace(question=asked, answer=said))


def bring(path: Path, *, question: str = "", answer: str = "", skill: str = "") -> Data:
    """Read a JSON Lines, CSV or Parquet file; a row that cannot be used is kept with the reason.

    Args:
        path: the file.
        question: column of the question, where it has no usual name.
        answer: column of the answer, likewise.
        skill: column of what a row belongs to; empty where there is none.

    Raises:
        PartError: the file cannot be read, has no rows, or no columns that are known.
    """
    if not path.is_file():
        raise PartError(f"{path}: no such file; give a JSON Lines (.jsonl), CSV (.csv) or Parquet (.parquet) file")
    read = list(lines(str(path)))
    if not read:
        raise PartError(f"{path}: no rows")
    shape = _shape(path, [values for _, values in read[:FIRST]], question, answer)
    width = len(str(read[-1][0]))
    if skill and not any(skill in values for _, values in read):
        raise PartError(f"{path}: no row has a column {skill!r}; it has: {', '.join(read[0][1])}")
    return Data(path, shape, [_line(path, shape, number, values, skill, width) for number, values in read])


def _shape(path: Path, rows: Sequence[Mapping[str, Any]], question: str, answer: str) -> Shape:
    """The shape of the first row that has one that is known; if none has, the fault is the first row's."""
    faults: list[PartError] = []
    for values in rows:
        try:
            return shape_of(values, where=str(path), question=question, answer=answer)
        except PartError as error:
            faults.append(error)
    raise faults[0]


def _line(path: Path, shape: Shape, number: int, values: dict[str, Any], skill: str, width: int) -> Line:
    try:
        said = shape.read(f"line {number}", values)
    except PartError as error:
        return Line(number, values, None, str(error).removeprefix(f"line {number}: "))
    group = str(values.get(skill, "")) if skill else ""
    return Line(number, values, Row(f"{number:0{width}d}", said.question, said.answer, group))
