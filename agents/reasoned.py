"""Whether reasoning before an answer can be taught.

Whoever judges answers has to find the answer behind it, and the student's template has to leave it in a finished turn.
"""

from collections.abc import Iterable
from random import Random

from ..memory.errors import PartError
from ..memory.origin import Origin
from ..scenarios.schema import Scenario
from ..scenarios.source import Source
from ..scenarios.verifier import Verifier
from ..training.reading import Reader
from .operating import Weighted, marks

THOUGHT = "first this, then that"
"""A reasoning without a number or a mark."""


def unfit(operators: Iterable[Weighted], source: Source, verifier: Verifier, scenario: Scenario) -> list[str]:
    """Why operators of a scenario cannot be used, and the way out; nothing where they can."""
    reasoning = _reasoning(operators)
    # a model that judges reads all of an answer
    if not reasoning or scenario.student.reasoning or verifier.asks:
        return []
    skill = scenario.targets[0]
    tasks = source.draw(skill, scenario.skills[skill].task, 1, Random(0), allowed=lambda key: bool(key))
    worked = Origin(operator=reasoning[0], parents=(), reasoning=THOUGHT)
    try:
        passed = all(verifier.judge(task, worked.completion(task.answer)).passed for task in tasks)
    except (ValueError, PartError):  # it cannot go by the reference, which is said where exams are drawn
        return []
    if passed:
        return []
    return [
        f"operator {reasoning[0]!r} teaches reasoning before the answer, and verifier {verifier.name!r} takes all of "
        "it for the answer; use one that looks for the answer (numeric, regex), or set student.reasoning"
    ]


def lost(operators: Iterable[Weighted], scenario: Scenario, reader: Reader) -> list[str]:
    """Why a student would not learn the reasoning that operators make, and the way out; nothing where it would."""
    reasoning = _reasoning(operators)
    if not reasoning:
        return []
    worked = Origin(operator=reasoning[0], parents=(), reasoning=THOUGHT, marks=marks(scenario.student))
    if (why := reader.lost(worked.completion("2"), THOUGHT)) is None:
        return []
    return [
        f"operator {reasoning[0]!r} teaches reasoning before the answer, and {why}; let the student think in "
        "student.template, or remove the operator"
    ]


def _reasoning(operators: Iterable[Weighted]) -> list[str]:
    return [w.operator.name for w in operators if "reasoning" in w.operator.asks]
