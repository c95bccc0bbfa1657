"""Tasks from a table or nested rows, one row a task: a template over columns makes the question.

Nothing in a template is run: `{City}` stands for what the column `City` has, and that is all there is to it. What lies
inside lists and objects of JSON Lines or Parquet is a column as well, named by the way there: `{choices.0.text}`.
"""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, field_validator

from ...memory.errors import PartError
from ..delimited import Delimited
from ..rows import Columns, Reader, flat
from ..tabular import Cell, Filed
from ..template import check

NESTED = (".parquet", ".jsonl", ".jsonl.gz")
"""Ends of names of files whose cells may hold lists and objects."""
DELIMITERS = {".csv": ",", ".tsv": "\t"}
"""What stands between cells, by the end of a file's name."""


def _checked(text: str) -> str:
    check(text)
    return text


Template = Annotated[str, StringConstraints(min_length=1), AfterValidator(_checked)]


class Table(Filed):
    """Rows of a CSV (`.csv`), TSV (`.tsv`), JSON Lines (`.jsonl`) or Parquet (`.parquet`) file, asked by a template."""

    prompt: Template
    """The question: a text with `{column}` in it, or the name of a column."""
    answer: Template
    """The reference answer: the name of a column, or a text with `{column}` in it."""
    skill: str = ""
    """Column that names the skill; empty when every skill takes its rows by `where` alone."""
    features: tuple[str, ...] = Field(default=(), exclude_if=lambda columns: not columns)
    """Columns whose values are features of a task, from which hypotheses are made."""
    delimiter: str = Field(default="", max_length=1, exclude_if=lambda text: not text)
    """What stands between cells; empty for a comma in `.csv` and a tab in `.tsv`."""
    quote: str = Field(default='"', max_length=1, exclude_if=lambda text: text == '"')
    """What may stand around a cell; empty where quotes are part of the text."""
    names: tuple[str, ...] = Field(default=(), exclude_if=lambda names: not names)
    """Names of the columns, for a file without a header."""

    @field_validator("names")
    @classmethod
    def _distinct(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names) or not all(name.strip() for name in names):
            raise ValueError(f"columns need names that differ, not {list(names)}")
        return names

    @property
    def reader(self) -> Reader:
        """How its rows are read, by the end of its name."""
        if self.path.endswith(NESTED):
            return flat
        end = next((end for end in DELIMITERS if self.path.endswith(end)), "")
        if not (delimiter := self.delimiter or DELIMITERS.get(end, "")):
            raise PartError(
                f"source.path: {self.path} ends in none of {', '.join((*DELIMITERS, *NESTED))}; set source.delimiter"
            )
        return Delimited(delimiter, self.quote, self.names)

    def columns(self) -> Columns:
        """Say which column holds what."""
        return Columns(
            prompt=self.prompt,
            answer=self.answer,
            skill=self.skill,
            key=self.key,
            prose=self.prose,
            document=self.context,
            messages="",
            tools="",
            checks=self.checks,
            templates=True,
            traits=self.features,
        )

    def meets(self, cell: object, wanted: Cell) -> bool:
        """Whether a cell has the value that a skill asks for; the cells of CSV and TSV are texts."""
        if not isinstance(cell, str) or isinstance(wanted, str):
            return cell == wanted
        if isinstance(wanted, bool):
            return cell.strip().casefold() == str(wanted).casefold()
        try:
            return float(cell) == wanted
        except ValueError:
            return False
