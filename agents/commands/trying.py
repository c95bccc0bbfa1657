"""The first student of a run and the one promoted last, side by side; nothing of the run is written."""

import asyncio
import contextlib
import os
import shlex
from collections.abc import Callable, Generator, Sequence
from typing import NamedTuple, NoReturn

from ...memory.display import visible
from ...memory.inference import Completion, Engine, Request
from ...training.engines.transformers import Transformers
from ...training.serving import plain
from ..quiet import quiet
from ..reports.results import Student

MARGIN = 10
"""Columns of a label."""


class Said(NamedTuple):
    """What one student said."""

    student: Student
    answer: Completion


@contextlib.contextmanager
def opened(found: Sequence[Student]) -> Generator[list[tuple[Student, Engine]]]:
    """Load students into this process."""
    quiet()
    engines = [(student, Transformers().open(student.path)) for student in found]
    try:
        yield engines
    finally:
        for _, engine in engines:
            engine.close()


def ask(engines: Sequence[tuple[Student, Engine]], prompt: str, *, longest: int) -> list[Said]:
    """Put one question to every student."""
    return [Said(s, asyncio.run(engine.answer([Request(prompt, longest)]))[0]) for s, engine in engines]


def lines(said: Sequence[Said]) -> list[str]:
    """Answers below each other, labelled; further lines of an answer are set in, so that none looks like a label."""
    shown: list[str] = []
    for student, answer in said:
        first, *rest = (visible(answer.text) or "(nothing)").split("\n")
        cut = [] if answer.complete else [f"{'':{MARGIN}}… (cut: --longest allows more)"]
        shown += [f"{student.label:{MARGIN}}{first}", *(f"{'':{MARGIN}}{line}" for line in rest), *cut]
    return shown


def serve(student: Student, *, port: int, say: Callable[[str], None]) -> NoReturn:
    """Become a server of a student, so that it gets this process's signals.

    Raises:
        UnavailableError: vLLM is not installed, or does not serve such a student.
    """
    command = plain.command(student.path, name=student.label, port=port)
    say(f"{student.label!r} is served at http://127.0.0.1:{port}/v1 until Ctrl-C, by: {shlex.join(command)}")
    os.execve(command[0], command, plain.environment())  # noqa: S606 -- our own interpreter
