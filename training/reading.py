"""What a student can read, and how much of it: characters for an embedded student, tokens for any other."""

from pathlib import Path
from typing import Protocol

from ..memory.talk import Question, Talk, text_of
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

    def refusal(self, question: Question, answer: str) -> str | None:
        """Say why a conversation cannot be put to this student, or None."""
        ...

    def lost(self, answer: str, part: str) -> str | None:
        """Say why a part of an answer would not be learned with it, or None."""
        ...

    def length(self, question: Question, answer: str) -> int:
        """Tokens of a question with its answer."""
        ...

    def answer_length(self, question: Question, answer: str) -> int:
        """Tokens that an answer takes."""
        ...


class Characters:
    """Reads every character as a token, without loading anything."""

    positions = UNBOUNDED

    def unreadable(self, text: str) -> str | None:
        """Give the first thing in a text that is no character of the embedded student's, or one of its marks."""
        return tokenizer.unreadable(text)

    def refusal(self, question: Question, answer: str) -> str | None:
        """Refuse every conversation: the embedded student's template knows a question and its answer."""
        del answer
        if not isinstance(question, Talk):
            return None
        return (
            "the embedded student answers single questions and calls no tools; name a model in student.model whose "
            "chat template does, or probe one at an endpoint"
        )

    def lost(self, answer: str, part: str) -> str | None:
        """Nothing is lost: an answer is learned character by character."""
        del answer, part

    def length(self, question: Question, answer: str) -> int:
        """Tokens of a question with its answer, at most."""
        return len(text_of(question)) + len(answer) + AROUND

    def answer_length(self, question: Question, answer: str) -> int:
        """Tokens that an answer takes."""
        del question
        return len(answer)


class Elsewhere(Characters):
    """A model at an endpoint reads what it is sent; how, nobody here knows."""

    def unreadable(self, text: str) -> str | None:
        """Nothing is unreadable."""
        del text

    def refusal(self, question: Question, answer: str) -> str | None:
        """No conversation is refused."""
        del question, answer

    def length(self, question: Question, answer: str) -> int:
        """Nothing is too long: the endpoint says so itself, and nothing is trained."""
        del question, answer
        return 0


def reader(student: Student, folder: Path, *, serves: bool = True) -> Reader:
    """How the student of a scenario reads.

    Args:
        student: of the scenario.
        folder: with its tokenizer, where it brings one.
        serves: whether its engine serves checkpoints, and not a model of its own.
    """
    if not serves:
        return Elsewhere()
    return Wording.read(folder, manner=Manner.of(student)) if student.model else Characters()
