import os
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import pytest

import evolvent
from evolvent.memory.parts import load
from evolvent.scenarios import loader
from evolvent.scenarios.data import make_dates
from evolvent.scenarios.fitting import fit
from evolvent.scenarios.validation import validate
from evolvent.scenarios.verifier import Verifier

from ..judging import literal
from ..teaching import Voice
from .builders import VERIFIERS, make_splits

ROOT = Path(evolvent.__file__).parent
MISSING = pytest.mark.skipif(find_spec("reasoning_gym") is None, reason="reasoning-gym is not installed")
PUBLIC = pytest.mark.skipif(
    "EVOLVENT_DATA" not in os.environ, reason="needs the public data: set EVOLVENT_DATA to its folder"
)
SMALL = ("data_preparation", "entity_matching", "gsm8k", "imputation", "instructions", "python_functions", "relevance")
"""Scenarios on public data, which hold fewer tasks than one would wish for."""
WARNED = ("distinct", "no skill is a guard")
"""What those are warned about."""
MARKS = {"reasoning_gym": [MISSING], **{name: [PUBLIC] for name in SMALL}}
SHIPPED = [
    pytest.param(path, marks=MARKS.get(path.stem, []), id=path.stem)
    for path in sorted((ROOT / "scenarios").glob("*.toml"))
]


@pytest.mark.parametrize("path", SHIPPED)
def test_every_shipped_scenario_can_decide_something(path: Path) -> None:
    scenario = loader.load(path)
    assert scenario.name == path.stem
    assert scenario.description
    splits = make_splits(scenario)
    assert fit(splits) == (scenario, ())
    validation = validate(splits)
    assert validation.errors == ()
    assert [w for w in validation.warnings if path.stem not in SMALL or not any(sign in w for sign in WARNED)] == []


@pytest.mark.parametrize("path", SHIPPED)
async def test_the_verifier_of_every_shipped_scenario_accepts_its_references(path: Path) -> None:
    scenario = loader.load(path)
    splits = make_splits(scenario)
    verifier = load(scenario.verifier, base=Verifier, package=VERIFIERS, where=str(path))
    tasks = [task for skill in scenario.skills for task in splits.draw(skill, "train", 20, stream="test")]
    answers = [splits.source.solve(task) or "" for task in tasks]
    verdicts = await verifier.judged(tasks, answers, models={"judge": Voice(literal)})
    assert all(verdict.passed for verdict in verdicts)


@pytest.mark.slow
def test_the_dates_on_disk_are_those_the_program_makes() -> None:
    import pyarrow.parquet as pq

    shipped = pq.read_table(make_dates.PATH, columns=["prompt", "answer"]).to_pylist()
    made = make_dates.rows()
    assert len(shipped) == len(made)
    assert [(r["prompt"], r["answer"]) for r in shipped] == [(r.prompt, r.answer) for r in made]


@pytest.mark.parametrize(
    ("skill", "prompt"),
    [
        ("slashed", "2021/03/04"),
        ("log", "04/Mar/2021"),
        ("mail", "Thu, 04 Mar 2021"),
        ("written", "4th of March 2021"),
    ],
)
def test_a_day_is_written_as_the_format_says(skill: str, prompt: str) -> None:
    write, _ = make_dates.FORMATS[skill]
    assert write(date(2021, 3, 4)) == prompt


def test_ordinals_end_as_they_are_spoken() -> None:
    ends = [make_dates.written(date(2021, 1, n)).split(" ")[0] for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 30, 31)]
    assert ends == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd", "30th", "31st"]
