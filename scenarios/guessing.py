"""What a file of somebody's tasks seems to be: its columns, its skills, and how an answer is probably judged.

A guess is for a person to look at: it stands in a scenario with what speaks for it, and decides nothing by itself.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from ..memory.errors import PartError
from ..memory.parts import PartSpec, load
from ..memory.records import Task
from ..memory.talk import read_calls, text_of
from .rows import FEATURES, lines
from .shapes import INPUT, MESSAGES, TEXT, TOOLS, Said, Shape, shape_of
from .text import normal
from .verifier import Verifier

FIRST = 100
"""Rows among which one has to have columns that are known."""
JUDGED = 500
"""References that a verifier has to accept before it is named."""
SKILLS = ("skill", "category", "topic", "subject", "domain", "operation", "type", "kind", "task", "format", "label")
"""Columns that usually say what a row is about, the likeliest first."""
MOST, EACH = 64, 20
"""Values a column may have to name skills, and rows it must have for each of them on average."""
PROSE = 3
"""Words from which an answer is prose."""
CALCULATED = 0.5
"""Share of letters below which a question is no prose."""

NUMBER = re.compile(r"[-+−]?\s*[$€£]?\s*(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?\s*%?")
CODE = re.compile(r"[-+−]?0\d")
"""A number that begins with 0 is a code, or written another way round."""
RESULT = re.compile(r"####\s*[-+−]?[$€£]?[\d,]*\.?\d+\s*%?\s*\Z")
"""How a worked solution ends with its number, as in GSM8K."""
LETTER = re.compile(r"\(?([A-Ja-j])[).]?")
OPTION = re.compile(r"(?:^|\s)\(?[A-J][).:]\s")


@dataclass(frozen=True, slots=True)
class Guess:
    """What a file seems to be."""

    path: Path
    rows: int
    prompt: str
    """Column of the question; empty where a row is one conversation."""
    answer: str
    """Column of the reference, or of the conversation."""
    skill: str
    """Column that names skills; empty where none does."""
    skills: Mapping[str, int]
    """Distinct questions by value of that column, the most frequent first; under `""` where there is none."""
    verifier: str
    because: str
    """What speaks for the verifier."""
    procedural: bool
    """Whether questions are rather calculations or codes than prose."""
    longest: int
    """Characters of a question with its answer, at most."""
    plain: bool
    """Whether every row is one question in ASCII, as an embedded student reads them."""


def guess(path: Path, *, prompt: str = "", answer: str = "", skill: str = "") -> Guess:
    """Look at a file of tasks.

    Args:
        path: JSON Lines, CSV or Parquet.
        prompt: column of the question, where somebody knows it.
        answer: column of the reference, likewise.
        skill: column of the skill, likewise.

    Raises:
        PartError: it cannot be read, or has no columns that a scenario could read.
    """
    if not path.is_file():
        raise PartError(f"{path}: no such file; give a JSON Lines (.jsonl), CSV (.csv) or Parquet (.parquet) file")
    read = list(lines(str(path)))
    if not read:
        raise PartError(f"{path}: no rows; write one a task, with a question and its answer")
    shape = _shape(path, [values for _, values in read[:FIRST]], prompt, answer)
    rows = [values for _, values in read]
    said = [shape.read(f"{path}:{number}", values) for number, values in read]
    column = _column(path, rows, shape, skill)
    verifier, because = _verifier(said)
    return Guess(
        path=path,
        rows=len(rows),
        prompt=shape.question,
        answer=shape.answer,
        skill=column,
        skills=_skills(rows, said, column),
        verifier=verifier,
        because=because,
        procedural=_procedural(said),
        longest=max(len(text_of(one.question)) + len(one.answer) for one in said),
        plain=all(isinstance(one.question, str) and f"{one.question}{one.answer}".isascii() for one in said),
    )


def _shape(path: Path, rows: Sequence[Mapping[str, Any]], prompt: str, answer: str) -> Shape:
    """Columns of question and answer, as a scenario can read them."""
    shape = shape_of(rows[0], where=str(path), question=prompt, answer=answer)
    if shape.talks and shape.answer != MESSAGES:
        raise PartError(f"{path}: {shape.answer!r} holds conversations that are no chat format; rename to {MESSAGES!r}")
    if shape.answer == TEXT and not shape.question:
        raise PartError(
            f"{path}: {TEXT!r} does not tell question from answer; name two columns with --prompt, --answer"
        )
    if shape.question == "instruction" and any(row.get(INPUT) for row in rows):
        raise PartError(f"{path}: a question is in 'instruction' and {INPUT!r}; join them into one column 'prompt'")
    return shape


def _column(path: Path, rows: Sequence[Mapping[str, Any]], shape: Shape, named: str) -> str:
    """Column that names skills; empty where none seems to."""
    taken = {shape.question, shape.answer, TOOLS, FEATURES}
    if named:
        if named not in rows[0]:
            raise PartError(f"{path} has no column {named!r}; it has: {', '.join(rows[0])}")
        return named
    columns = [name for name in rows[0] if name not in taken]
    ordered = [*(name for name in SKILLS if name in columns), *(name for name in columns if name not in SKILLS)]
    return next((name for name in ordered if _names(rows, name)), "")


def _names(rows: Sequence[Mapping[str, Any]], column: str) -> bool:
    """Whether a column has few enough values, and one in every row."""
    values = [row.get(column) for row in rows]
    if not all(isinstance(value, str) and value.strip() for value in values):
        return False
    distinct = len(set(values))
    return distinct <= MOST and (column == SKILLS[0] or (distinct > 1 and EACH * distinct <= len(rows)))


def _skills(rows: Sequence[Mapping[str, Any]], said: Sequence[Said], column: str) -> dict[str, int]:
    asked = {
        (str(row.get(column, "")) if column else "", str(one.question)) for row, one in zip(rows, said, strict=True)
    }
    return dict(Counter(value for value, _ in sorted(asked)).most_common())


def _verifier(said: Sequence[Said]) -> tuple[str, str]:
    """Name of a verifier, and what speaks for it: the first that fits and accepts the references."""
    answers = [one.answer.strip() for one in said]
    texts = [answer for answer in answers if answer]
    ways = {
        "tool_calls": ("references call tools", any(read_calls(answer)[1] for answer in answers)),
        "choice": (
            "every reference is a letter, and questions list options",
            all(LETTER.fullmatch(text) for text in texts) and _listing(said),
        ),
        "numeric": (
            "every reference is a number, or ends in one",
            all((NUMBER.fullmatch(text) and not CODE.match(text)) or RESULT.search(text) for text in texts),
        ),
        "f1": (
            f"references are prose, of {PROSE} words and more",
            median(len(text.split()) for text in texts) >= PROSE if texts else False,
        ),
    }
    for name, (because, fits) in ways.items():
        if fits and _accepts(name, said):
            return name, because
    return "exact", "references are short texts"


def _listing(said: Sequence[Said]) -> bool:
    """Whether most questions list options."""
    return 2 * sum(len(OPTION.findall(str(one.question))) > 1 for one in said) > len(said)


def _accepts(name: str, said: Sequence[Said]) -> bool:
    """Whether a verifier accepts references."""
    package = f"{__package__}.verifiers"
    verifier = load(PartSpec(name=name), base=Verifier, package=package, where="guess")
    try:
        return all(
            verifier.judge(Task(skill="any", key="any", prompt="any", answer=one.answer), one.answer).passed
            for one in said[:JUDGED]
        )
    except ValueError:
        return False


def _procedural(said: Sequence[Said]) -> bool:
    """Whether questions are no prose: mostly signs, or the same but for punctuation with other answers."""
    answers: dict[str, str] = {}
    for one in said:
        if not isinstance(one.question, str):
            return False
        words = normal(one.question)
        if words and answers.setdefault(words, one.answer) != one.answer:
            return True
    return median(_letters(str(one.question)) for one in said) < CALCULATED


def _letters(text: str) -> float:
    """Share of letters in what is no space."""
    own = [character for character in text if not character.isspace()]
    return sum(character.isalpha() for character in own) / len(own) if own else 0.0
