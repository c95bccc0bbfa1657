"""The student that a scenario names, looked at before anything runs."""

from typing import NamedTuple

from ..memory.errors import ScenarioError
from ..scenarios.student import Student
from ..training import origin
from ..training.engine import EnginePart
from ..training.reading import Characters, Elsewhere, Reader


class Welcome(NamedTuple):
    """What has to be known of a student to plan a session."""

    reader: Reader
    """How it reads."""
    parameters: int
    """Its size where somebody brings it and it is on this machine; else 0."""


def welcome(student: Student, engine: EnginePart) -> Welcome:
    """See that a session can start from a student.

    Raises:
        UnavailableError: it is not there.
        ScenarioError: it cannot be a student, or its engine would not let it answer.
    """
    if not student.model:
        return Welcome(Characters() if engine.serves else Elsewhere(), 0)
    if not engine.serves:
        raise ScenarioError(
            f"student.model {student.model!r}: engine {engine.name!r} answers with a model of its own; leave "
            "student.model away, or choose 'transformers' or 'vllm'"
        )
    return Welcome(origin.check(student), origin.parameters(student))
