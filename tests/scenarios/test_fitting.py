from pathlib import Path
from typing import Any

import pytest

from evolvent.scenarios.fitting import EXAM, PROBE, fit
from evolvent.scenarios.schema import Scenario
from evolvent.scenarios.splits import Splits
from evolvent.scenarios.validation import Validation, validate

from .builders import make_scenario, make_splits, row_line, write_file

SKILLS: dict[str, Any] = {"talk": {}, "known": {"guard": True}}


def small(folder: Path, *, rows: int, **settings: Any) -> Splits:
    """A target and a guard with this many rows each, and every default."""
    lines = [row_line(f"{skill} {n}", skill=skill) for skill in SKILLS for n in range(rows)]
    source = {"name": "file", "path": str(write_file(folder, *lines))}
    return make_splits(make_scenario(source=source, skills=SKILLS, **settings))


def check(splits: Splits) -> Validation:
    scenario, shrunk = fit(splits)
    return validate(Splits(scenario, splits.source, splits.seed), shrunk=shrunk)


def test_a_source_with_room_for_every_default_changes_nothing() -> None:
    wide = {"hard": {"task": {"operation": "add"}}, "easy": {"guard": True, "task": {"operation": "subtract"}}}
    splits = make_splits(make_scenario(skills=wide))
    assert fit(splits) == (splits.scenario, ())


@pytest.mark.parametrize("rows", [330, 400, 1000, 3000])
def test_default_sizes_shrink_until_the_source_fills_them(tmp_path: Path, rows: int) -> None:
    assert check(small(tmp_path, rows=rows)).errors == ()


def test_an_exam_takes_all_that_is_there(tmp_path: Path) -> None:
    splits = small(tmp_path, rows=400)
    assert fit(splits).scenario.splits.select == len(splits.draw("talk", "exam", 400, stream="any"))


def test_probes_of_a_skill_and_of_its_weaknesses_fit_side_by_side(tmp_path: Path) -> None:
    splits = small(tmp_path, rows=400)
    probe = fit(splits).scenario.probe
    assert probe.most + probe.aimed == len(splits.draw("talk", "probe", 400, stream="any"))
    assert probe.least <= probe.most


def test_a_size_that_somebody_wrote_down_stays_and_is_an_error(tmp_path: Path) -> None:
    splits = small(tmp_path, rows=400, splits={"select": 300})
    assert fit(splits).scenario.splits.select == 300
    (error,) = check(splits).errors
    assert error.endswith("tasks or lower splits.select")


def test_what_was_shrunk_is_a_warning_with_what_the_exams_see(tmp_path: Path) -> None:
    validation = check(small(tmp_path, rows=400))
    assert f"splits.select {validation.select} for 300" in validation.warnings[0]
    assert f"see a gain of {100 * validation.gain:.1f} points and stop a loss of" in validation.warnings[0]


def test_small_guards_are_given_the_margin_that_works(tmp_path: Path) -> None:
    (warning,) = [w for w in check(small(tmp_path, rows=400)).warnings if "use gate.margin = " in w]
    margin = float(warning.rpartition(" = ")[2])
    assert check(small(tmp_path, rows=400, gate={"margin": margin})).blocked <= 0.2


def test_far_too_few_tasks_are_refused_with_how_many_would_do(tmp_path: Path) -> None:
    errors = check(small(tmp_path, rows=40)).errors
    assert len(errors) == len(SKILLS)
    assert all(f"needs {EXAM}" in error for error in errors)
    enough = max(int(error.partition("widen the skill to ")[2].split()[0]) for error in errors)
    assert check(small(tmp_path, rows=enough)).errors == ()


def test_no_size_shrinks_below_what_decides_anything(tmp_path: Path) -> None:
    scenario: Scenario = fit(small(tmp_path, rows=40)).scenario
    assert (scenario.splits.select, scenario.splits.sealed, scenario.probe.most) == (EXAM, EXAM, PROBE)
