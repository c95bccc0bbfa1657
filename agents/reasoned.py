"""Whether reasoning before an answer can be taught: whoever judges answers has to find the answer behind it."""

from collections.abc import Iterable
from random import Random

from ..memory.origin import Origin
from ..scenarios.schema import Scenario
from ..scenarios.source import Source
from ..scenarios.verifier import Verifier
from .operating import Weighted

THOUGHT = "first this, then that"
"""A reasoning without a number or a mark."""


def unfit(operators: Iterable[Weighted], source: Source, verifier: Verifier, scenario: Scenario) -> list[str]:
    """Why operators of a scenario cannot be used, and the way out; nothing where they can."""
    reasoning = [w.operator.name for w in operators if "reasoning" in w.operator.asks]
    if not reasoning or scenario.student.reasoning:
        return []
    skill = scenario.targets[0]
    tasks = source.draw(skill, scenario.skills[skill].task, 1, Random(0), allowed=lambda key: bool(key))
    worked = Origin(operator=reasoning[0], parents=(), reasoning=THOUGHT)
    if all(verifier.judge(task, worked.completion(task.answer)).passed for task in tasks):
        return []
    return [
        f"operator {reasoning[0]!r} teaches reasoning before the answer, and verifier {verifier.name!r} takes all of "
        "it for the answer; use one that looks for the answer (numeric, regex), or set student.reasoning"
    ]
