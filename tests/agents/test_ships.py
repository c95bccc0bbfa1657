"""One round of every shipped scenario, small: whatever is shipped is found, and goes through its whole loop."""

import os
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

import evolvent

from ..killing import session

SMALL = {
    "student.hidden": 16, "student.heads": 2, "student.layers": 1, "student.first.samples": 64,
    "student.first.epochs": 1, "trainer.epochs": 1, "trainer.most_steps": 20, "splits.select": 30, "splits.guard": 30,
    "splits.sealed": 30, "probe.least": 8, "probe.batch": 8, "probe.most": 16, "probe.failures": 4, "probe.aimed": 8,
    "gate.margin": 0.5, "rounds.most": 1, "rounds.samples": 64,
}  # fmt: skip
"""What makes a round of any scenario take seconds."""


def marks(path: Path) -> list[pytest.MarkDecorator]:
    """What a scenario needs that may not be here."""
    text = path.read_text()
    needs = {
        "the public data: set EVOLVENT_DATA to its folder": "$EVOLVENT_DATA" in text
        and "EVOLVENT_DATA" not in os.environ,
        "reasoning-gym: pip install 'evolvent[reasoning]'": path.stem == "reasoning_gym"
        and find_spec("reasoning_gym") is None,
        "a model from the hub, and a teacher behind an endpoint": "model" in tomllib.loads(text).get("student", {}),
    }
    return [pytest.mark.skip(reason=f"needs {what}") for what, lacking in needs.items() if lacking]


SHIPPED = [
    pytest.param(path, marks=marks(path), id=path.stem)
    for path in sorted((Path(evolvent.__file__).parent / "scenarios").glob("*.toml"))
]


@pytest.mark.slow
@pytest.mark.parametrize("path", SHIPPED)
def test_a_shipped_scenario_goes_through_a_round_to_a_decision_and_a_report(path: Path, tmp_path: Path) -> None:
    ended = session("run", path, "--json", *(f"--set={name}={value}" for name, value in SMALL.items()), folder=tmp_path)
    assert ended.code == 0, ended.said
    done = ended.events[-1]
    assert (done["status"], done["rounds"]) == ("finished", 1)
    assert done["samples"]["kept"] > 0
    assert (Path(done["dir"]) / "report.html").is_file()
