"""Rows of a table with few of them as numbers, and numbers as rows again."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from ...memory.errors import PartError
from ...scenarios.rows import cut, lacks, lines
from ...training.curation.generation import Rows

Cells = Mapping[str, Any]
CLASSES = 100
"""Different labels at most: a classifier has a tree for each in every round."""
HALF = re.compile("[\ud800-\udfff]")
LARGEST = 3e38
"""Numbers from there on are words, since a classifier's trees know none so large."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of real rows are: numbers, or words that have codes."""

    label: str
    """The column that says what a row is."""
    labels: Mapping[str, Any]
    """What it says, by how that is written; sorted."""
    features: tuple[str, ...]
    """The other columns, in the order of the file."""
    words: Mapping[str, Mapping[str, Any]]
    """Columns that are not numbers, and what stands in them, likewise."""
    decimals: Mapping[str, int]
    """Digits after the point at most, of columns that are numbers."""
    texts: bool
    """Whether numbers are written as text, as in a CSV file."""

    @classmethod
    def of(cls, rows: Sequence[Cells], label: str, *, where: str) -> "Columns":
        """Look at real rows.

        Raises:
            PartError: a cell is missing or empty, or the label is no class that several rows share.
        """
        if not rows or label not in rows[0]:
            raise PartError(f"{where}: {lacks(label, rows[0]) if rows else 'has no rows'}")
        features = tuple(name for name in rows[0] if name != label)
        for number, row in enumerate(rows, start=1):
            if fault := _lack(row, (*features, label)):
                raise PartError(f"{where}: row {number}: {fault}; fill it in, or leave the row or column out")
        labels = _different(rows, label)
        if not features or not 2 <= len(labels) <= min(CLASSES, len(rows) / 2):
            raise PartError(
                f"{where}: {label!r} has {len(labels)} different values in {len(rows)} rows of {len(features)} other "
                f"columns; name a column of two to {CLASSES} classes that have two rows each on average"
            )
        numbers = {name for name in features if all(_number(row[name]) is not None for row in rows)}
        return cls(
            label,
            labels,
            features,
            {name: _different(rows, name) for name in features if name not in numbers},
            {name: max(_decimals(row[name]) for row in rows) for name in features if name in numbers},
            any(isinstance(row[name], str) for row in rows for name in numbers),
        )

    def fault(self, row: Cells) -> str:
        """Why a row is none of this table; empty where it is one."""
        if lack := _lack(row, (*self.features, self.label)):
            return lack
        wrong = [name for name in self.decimals if _number(row[name]) is None]
        return f"{wrong[0]!r} is {cut(row[wrong[0]])}, which is no number" if wrong else ""

    def encode(self, rows: Sequence[Cells]) -> Rows:
        """Give rows without a fault as numbers; a word or label that no real row has gets the code after the last."""
        codes = {name: {word: code for code, word in enumerate(known)} for name, known in self.words.items()}
        labels = {said: code for code, said in enumerate(self.labels)}
        values = [
            [
                codes[name].get(str(row[name]), len(codes[name])) if name in codes else float(row[name])
                for name in self.features
            ]
            for row in rows
        ]
        return Rows(
            np.array(values, dtype=np.float64).reshape(len(rows), len(self.features)),
            np.array([labels.get(str(row[self.label]), len(labels)) for row in rows], dtype=np.int64),
            frozenset(at for at, name in enumerate(self.features) if name in self.words),
        )

    def decode(self, rows: Rows) -> Iterator[dict[str, Any]]:
        """Give generated numbers as rows, with as many digits as real ones have."""
        labels = list(self.labels.values())
        for values_D, label in zip(rows.values_SD.tolist(), rows.labels_S.tolist(), strict=True):
            cells = {name: self._cell(name, value) for name, value in zip(self.features, values_D, strict=True)}
            yield {**cells, self.label: labels[label]}

    def _cell(self, name: str, value: float) -> Any:
        if name in self.words:
            return list(self.words[name].values())[int(value)]
        digits = self.decimals[name]
        if self.texts:
            return f"{value:.{digits}f}"
        return round(value, digits) if digits else round(value)


def read(path: Path) -> list[dict[str, Any]]:
    """Rows of a CSV, TSV, Parquet or JSON Lines file.

    Raises:
        PartError: it is none.
    """
    if not path.is_file():
        raise PartError(f"{path}: no such file; give a CSV, TSV, Parquet or JSON Lines file")
    return [{name: _plain(cell) for name, cell in row.items()} for _, row in lines(str(path))]


def _plain(cell: Any) -> Any:
    return float(cell) if isinstance(cell, Decimal) else cell


def _different(rows: Sequence[Cells], name: str) -> dict[str, Any]:
    return dict(sorted({str(row[name]): row[name] for row in rows}.items()))


def _lack(row: Cells, names: Sequence[str]) -> str:
    for name in names:
        if row.get(name) is None or not str(row[name]).strip():
            return f"{name!r} is empty" if name in row else lacks(name, row)
    if HALF.search(json.dumps(dict(row), ensure_ascii=False, default=str)):
        return "it holds half a surrogate pair, which is no character"
    return ""


def _number(cell: object) -> float | None:
    if not isinstance(cell, (str, int, float)) or isinstance(cell, bool):
        return None
    try:
        value = float(cell)
    except (ValueError, OverflowError):
        return None
    return value if abs(value) <= LARGEST else None


def _decimals(cell: object) -> int:
    """Digits after the point; of a number with an exponent as many as it needs."""
    text = str(cell).strip()
    if "e" in text.lower():
        text = f"{Decimal(text).normalize():f}"
    digits = text.partition(".")[2]
    return len(digits) if digits.strip("0") else 0
