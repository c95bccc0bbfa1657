"""Rows of data as people have them: which columns hold the question and the answer, found out from the columns.

Known are prompt and completion under their usual names, Alpaca's instruction with its input, conversations as the chat
format, TRL and ShareGPT have them, and plain text. What was changed is written back where it was read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..memory.errors import PartError
from ..memory.talk import Question
from .conversation import converse

Values = Mapping[str, Any]
PAIRS = (
    ("prompt", "completion"),
    ("prompt", "answer"),
    ("prompt", "response"),
    ("question", "answer"),
    ("instruction", "output"),
    ("instruction", "response"),
    ("query", "response"),
    ("input", "output"),
)
"""Columns of question and answer, the likeliest first."""
INPUT = "input"
"""Alpaca's column of what the instruction is about; it may be empty."""
MESSAGES, TOOLS, SHAREGPT, TEXT = "messages", "tools", "conversations", "text"
SPEAKERS = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}
"""ShareGPT's words for the roles of the chat format."""


class Said(NamedTuple):
    """What a row asks and answers."""

    question: Question
    answer: str


@dataclass(frozen=True, slots=True)
class Shape:
    """Where a file's rows have what."""

    question: str
    """Column of the question; empty where a row is plain text."""
    answer: str
    """Column of the answer, or of the whole conversation."""

    @property
    def talks(self) -> bool:
        """Whether a row is one conversation."""
        return self.answer in (MESSAGES, SHAREGPT) and not self.question

    def read(self, where: str, values: Values) -> Said:
        """Read a row.

        Args:
            where: file and line, for messages.
            values: the row.

        Raises:
            PartError: it has no question or no answer, with the column.
        """
        if self.talks:
            return _conversation(where, _turns(where, values, self.answer), values.get(TOOLS))
        asked, said = values.get(self.question) if self.question else "", values.get(self.answer)
        if isinstance(asked, list) and isinstance(said, list):
            return _conversation(where, [*asked, *said], values.get(TOOLS))
        question = _text(where, self.question, asked) if self.question else ""
        if self.question == "instruction" and (given := values.get(INPUT)):
            question = f"{question}\n\n{_text(where, INPUT, given)}"
        return Said(question, _text(where, self.answer, said))

    def write(self, values: Values, *, question: str | None, answer: str | None) -> dict[str, Any]:
        """Give a row with its question or its answer replaced.

        Args:
            values: the row as it was read.
            question: what it asks; None leaves it, and a conversation's is never replaced.
            answer: what it answers; None leaves it.
        """
        row = dict(values)
        listed = row.get(self.answer)
        if isinstance(listed, list) and answer is not None:
            key = "value" if self.answer == SHAREGPT else "content"
            row[self.answer] = [*listed[:-1], {**listed[-1], key: answer}]
            return row
        if answer is not None:
            row[self.answer] = answer
        if question is not None and self.question and isinstance(row.get(self.question), str):
            row[self.question] = question
            # Alpaca's two columns were read as one question
            row |= {INPUT: ""} if self.question == "instruction" and INPUT in row else {}
        return row


def shape_of(columns: Mapping[str, Any], *, where: str, question: str = "", answer: str = "") -> Shape:
    """Find out where rows have what.

    Args:
        columns: a row.
        where: the file, for messages.
        question: column of the question, if somebody named it.
        answer: column of the answer, likewise.

    Raises:
        PartError: no shape that is known, with the columns there are.
    """
    for name in filter(None, (question, answer)):
        if name not in columns:
            raise PartError(f"{where} has no column {name!r}; it has: {', '.join(columns) or 'none'}")
    if answer:
        return Shape(question, answer)
    for asked, said in PAIRS:
        if said in columns and (question or asked) in columns:
            return Shape(question or asked, said)
    for whole in (MESSAGES, SHAREGPT, TEXT):
        if whole in columns and not question:
            return Shape("", whole)
    raise PartError(
        f"{where} has none of the columns that are known ({', '.join('/'.join(pair) for pair in PAIRS)}, {MESSAGES}, "
        f"{SHAREGPT}, {TEXT}); it has: {', '.join(columns) or 'none'}; name them with --prompt and --answer"
    )


def _conversation(where: str, turns: object, tools: object) -> Said:
    found = converse(where, turns, tools)
    return Said(found.prompt if found.talk is None else found.talk, found.answer)


def _turns(where: str, values: Values, column: str) -> object:
    turns = values.get(column)
    if column != SHAREGPT or not isinstance(turns, list):
        return turns
    made: list[dict[str, Any]] = []
    for number, turn in enumerate(turns, start=1):
        speaker = turn.get("from") if isinstance(turn, dict) else None
        if not isinstance(turn, dict) or speaker not in SPEAKERS:
            raise PartError(f"{where}: turn {number} is from {speaker!r}; known: {', '.join(SPEAKERS)}")
        made.append({"role": SPEAKERS[speaker], "content": turn.get("value")})
    return made


def _text(where: str, column: str, value: object) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise PartError(f"{where}: {column!r} is {type(value).__name__}, not a text")
    if not value.strip():
        raise PartError(f"{where}: {column!r} is empty")
    return value
