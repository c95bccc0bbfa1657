"""What a student can read, and how much of it: characters for an embedded student, tokens for any other."""

from pathlib import Path
from typing import Protocol

from ..scenarios.student import Student
from . import tokenizer
from .manner import Manner
from .wording import UNBOUNDED, Wording

AROUND = 8
"""Tokens of the embedded student's template around a question and its answer, and some to spare."""


class Reader(Protocol):
    """How a student reads text."""

    positions: int
    """Tokens that the student can tell apart."""

    def unreadable(self, text: str) -> str | None:
        """Give the first thing in a text that the student cannot tell from something else, or None."""
        ...

    def length(self, prompt: str, answer: str) -> int:
        """Tokens of a question with its answer."""
        ...

    def answer_length(self, text: str) -> int:
        """Tokens that an answer takes."""
        ...


class Characters:
    """Reads every character as a token, without loading anything."""

    positions = UNBOUNDED

    def unreadable(self, text: str) -> str | None:
        """Give the first thing in a text that is no character of the embedded student's, or one of its marks."""
        return tokenizer.unreadable(text)

    def length(self, prompt: str, answer: str) -> int:
        """Tokens of a question with its answer, at most."""
        return len(prompt) + len(answer) + AROUND

    def answer_length(self, text: str) -> int:
        """Tokens that an answer takes."""
        return len(text)


def reader(student: Student, folder: Path) -> Reader:
    """How the student of a scenario reads.

    Args:
        student: of the scenario.
        folder: with its tokenizer, where it brings one.
    """
    return Wording.read(folder, manner=Manner.of(student)) if student.model else Characters()
