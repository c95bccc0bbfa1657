"""The hole a scenario plants in the first training: which weakness is it, and is it closed in the final student.

The final student is examined on tasks inside the hole from the report part, which no training ever draws from.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..agents.desk import BASE, SPARE
from ..agents.parts import Parts
from ..scenarios.schema import Scenario
from ..scenarios.splits import Splits
from ..training.exam import sit

Json = dict[str, Any]

CLOSED = 0.9
"""Pass rate inside the hole from which it counts as closed."""
ITEMS = 400
"""Tasks the final student is examined on."""
COMPARED = 2_000
"""Tasks of the skill on which rules are compared with the hole."""


class Hole(NamedTuple):
    """A feature that the first training of a skill lacks."""

    skill: str
    feature: str


def planted(scenario: Scenario) -> Hole | None:
    """The first hole of a scenario, or None."""
    holes = [Hole(s, feature) for s, lacking in sorted(scenario.student.first.skills.items()) for feature in lacking]
    return holes[0] if holes else None


def likest(hole: Hole, weaknesses: Sequence[Json], splits: Splits) -> tuple[Json, float] | None:
    """The weakness whose rule describes nearly the same tasks as the hole, and their Jaccard similarity, in (0, 1]."""
    tasks = splits.draw(hole.skill, "probe", COMPARED, stream="hole")
    inside = {task.key for task in tasks if hole.feature in task.features}
    best: tuple[Json, float] | None = None
    for weakness in (w for w in weaknesses if w["skill"] == hole.skill):
        under = {task.key for task in tasks if set(weakness["rule"]) <= set(task.features)}
        alike = len(under & inside) / max(1, len(under | inside))
        if alike > (best[1] if best else 0.0):
            best = weakness, alike
    return best


def judge(hole: Hole, done: Json, scenario: Scenario, run: Path, model: str | None) -> Json:
    """Say whether the hole was found, taught and closed.

    Args:
        hole: what was planted.
        done: the session's result.
        scenario: what it ran.
        run: its folder.
        model: folder of the promoted student, relative to the run; None where nothing was promoted.
    """
    parts = Parts.resolve(scenario, run.name)
    splits = Splits(scenario, parts.source, done["seed"])
    found = likest(hole, done["weaknesses"], splits)
    tasks = splits.draw(hole.skill, "report", ITEMS, stream="hole", having=(hole.feature,))
    engine = parts.engine.open(run / (model or BASE))
    longest = SPARE + max(len(task.answer) for task in tasks)
    passed = asyncio.run(sit(engine, tasks, parts.verifier, longest=longest)).count(1.0)
    engine.close()
    state = found[0]["state"] if found else "not found"
    return {
        "feature": hole.feature,
        "skill": hole.skill,
        "rule": found[0]["rule"] if found else None,
        "likeness": found[1] if found else 0.0,
        "state": state,
        "rate": passed / len(tasks),
        "items": len(tasks),
        "closed": state == "fixed" and passed >= CLOSED * len(tasks),
    }
