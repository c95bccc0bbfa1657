"""One round of every shipped scenario, small: whatever is shipped is found, and goes through its whole loop.

Where a scenario names a model of the hub, an untrained one of two layers stands in for it, and where it names an
endpoint, one that knows the tasks by heart.
"""

import contextlib
import os
import tomllib
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import pytest

import evolvent
from evolvent.memory.parts import load
from evolvent.scenarios import loader
from evolvent.scenarios.source import Source

from ..endpoint import MODEL, serving
from ..killing import session
from ..reciting import Reciting
from ..training.brought import make_model

ROOT = Path(evolvent.__file__).parent
SMALL: dict[str, Any] = {
    "trainer.epochs": 1, "trainer.most_steps": 20, "splits.select": 30, "splits.guard": 30, "splits.sealed": 30,
    "probe.least": 8, "probe.batch": 8, "probe.most": 16, "probe.failures": 4, "probe.aimed": 8, "gate.margin": 0.5,
    "rounds.most": 1, "rounds.samples": 64,
}  # fmt: skip
"""What makes a round of any scenario take seconds."""
EMBEDDED: dict[str, Any] = {
    "student.hidden": 16, "student.heads": 2, "student.layers": 1, "student.first.samples": 64,
    "student.first.epochs": 1,
}  # fmt: skip
"""The same for a student that is built from scratch."""
BROUGHT: dict[str, Any] = {
    "student.revision": "", "student.engine": "transformers", "student.dtype": "float32", "student.longest": 16,
}  # fmt: skip
"""The same for a model in a folder."""
ALONE = {"trainer.answers": "given"}
"""The same for one that learns its own right answers and no others: so small a student has none."""
ASKED = {"teacher.groups": 1}
"""The same for a teacher at an endpoint, which explains few failures only where they are one group."""


def marks(path: Path) -> list[pytest.MarkDecorator]:
    """What a scenario needs that may not be here."""
    needs = {
        "the public data: set EVOLVENT_DATA to its folder": "$EVOLVENT_DATA" in path.read_text()
        and "EVOLVENT_DATA" not in os.environ,
        "reasoning-gym: pip install 'evolvent[reasoning]'": path.stem == "reasoning_gym"
        and find_spec("reasoning_gym") is None,
    }
    return [pytest.mark.skip(reason=f"needs {what}") for what, lacking in needs.items() if lacking]


SHIPPED = [pytest.param(path, marks=marks(path), id=path.stem) for path in sorted((ROOT / "scenarios").glob("*.toml"))]


def answers(path: Path) -> dict[str, str]:
    """Every task of a scenario's source with its answer."""
    scenario = loader.load(path)
    source = load(scenario.source, base=Source, package="evolvent.scenarios.sources", where=str(path))
    kinds = {skill: settings.task for skill, settings in scenario.skills.items()}
    drawn = [source.draw(s, kind, source.size(s, kind), Random(0), allowed=bool) for s, kind in kinds.items()]
    return {task.prompt: task.answer for tasks in drawn for task in tasks}


@contextlib.contextmanager
def stand_ins(path: Path, folder: Path) -> Generator[dict[str, Any]]:
    """Settings that put something small in the place of every model that a scenario names."""
    said = tomllib.loads(path.read_text())
    brought = "model" in said.get("student", {})
    student = BROUGHT | {"student.model": make_model(folder / "tiny", positions=8192)} if brought else EMBEDDED
    student = student | (ALONE if "answers" in said.get("trainer", {}) else {})
    if not (roles := said.get("models", {})):
        yield student
        return
    with serving(Reciting(answers(path))) as endpoint:
        models = {f"models.{role}": {"base_url": endpoint.url, "model": MODEL} for role in roles}
        yield student | ASKED | {f"{place}.{name}": v for place, given in models.items() for name, v in given.items()}


@pytest.mark.slow
@pytest.mark.parametrize("path", SHIPPED)
def test_a_shipped_scenario_goes_through_a_round_to_a_decision_and_a_report(path: Path, tmp_path: Path) -> None:
    with stand_ins(path, tmp_path) as small:
        settings = [f"--set={name}={value}" for name, value in (SMALL | small).items()]
        ended = session("run", path, "--json", *settings, folder=tmp_path)
    assert ended.code == 0, ended.said
    done = ended.events[-1]
    assert (done["status"], done["rounds"]) == ("finished", 1)
    assert done["samples"]["kept"] > 0
    assert (Path(done["dir"]) / "report.html").is_file()
