from pathlib import Path
from typing import Any

import pytest

from evolvent.memory.statistics import block_chance, detectable_gain
from evolvent.scenarios.supply import needs
from evolvent.scenarios.validation import Validation, validate

from .builders import make_scenario, make_splits, row_line, write_file

LITTLE: dict[str, Any] = {
    "splits": {"select": 60, "guard": 60, "sealed": 40},
    "probe": {"most": 16, "least": 8, "aimed": 8},
    "rounds": {"most": 2, "samples": 200},
    "student": {"first": {"samples": 64}},
    "gate": {"margin": 0.2},
    "curation": {"replay": 0.2},
}
"""Settings that a few hundred tasks satisfy."""


def check(**settings: Any) -> Validation:
    return validate(make_splits(make_scenario(**{**LITTLE, **settings})))


def check_file(folder: Path, *, rows: int, **settings: Any) -> Validation:
    """Check a scenario of one target with this many rows."""
    path = write_file(folder, *(row_line(f"prompt {n}") for n in range(rows)))
    return check(source={"name": "file", "path": str(path)}, skills={"talk": {}}, **settings)


def test_a_sound_scenario_has_neither_errors_nor_warnings() -> None:
    validation = check()
    assert (validation.errors, validation.warnings) == ((), ())
    assert [s.tasks for s in validation.skills] == [1000, 3095]


def test_a_skill_needs_its_probes_exam_report_and_training() -> None:
    scenario = make_scenario(**LITTLE)
    assert needs(scenario, "hard") == {"probe": 24, "exam": 60, "report": 40, "train": 160}
    assert needs(scenario, "easy") == {"probe": 8, "exam": 60, "report": 40, "train": 40}


def test_a_split_that_cannot_be_filled_is_an_error_with_the_way_out(tmp_path: Path) -> None:
    validation = check_file(tmp_path, rows=250)
    assert len(validation.errors) == 1
    assert validation.errors[0] == (
        "skills.talk: of its 250 distinct tasks are sure to fall 39 to exam, which needs 60; "
        "widen the skill to 425 tasks or lower splits.select"
    )


def test_what_would_be_enough_is_enough(tmp_path: Path) -> None:
    (supply,) = check_file(tmp_path, rows=250).skills
    assert check_file(tmp_path, rows=supply.enough).errors == ()


def test_small_skills_are_counted_by_drawing(tmp_path: Path) -> None:
    (supply,) = check_file(tmp_path, rows=250).skills
    source = {"name": "file", "path": str(tmp_path / "tasks.jsonl")}
    splits = make_splits(make_scenario(**LITTLE, source=source, skills={"talk": {}}))
    there = splits.draw("talk", "exam", 250, stream="any")
    assert (supply.tasks, supply.held["exam"]) == (250, len(there))


def test_training_tasks_that_may_run_out_within_a_round_are_a_warning() -> None:
    validation = check(rounds={"most": 2, "samples": 1500})
    assert validation.errors == ()
    assert validation.warnings == ("skills.hard: 1,156 distinct training tasks, where one round may ask for 1,200",)


def test_a_first_training_without_enough_tasks_is_a_warning() -> None:
    validation = check(student={"first": {"samples": 16_000}})
    assert any(w.startswith("skills.easy: the first training gets") for w in validation.warnings)


def test_settings_the_source_refuses_are_an_error_and_nothing_is_raised() -> None:
    validation = check(skills={"odd": {"task": {"operation": "divide"}}})
    assert len(validation.errors) == 1
    assert validation.errors[0].startswith("skills.odd.task: source 'arithmetic': operation")


def test_an_exam_that_can_prove_nothing_is_an_error() -> None:
    validation = check(splits={"select": 10, "guard": 60, "sealed": 40}, gate={"alpha": 1e-4, "margin": 0.2})
    assert any(e.startswith("splits.select: 10 items can prove no gain") for e in validation.errors)


def test_guards_that_would_stop_an_unchanged_model_are_a_warning_with_the_margin_that_mends_it() -> None:
    validation = check(gate={"margin": 0.02})
    stopped = block_chance(60, 0.0, margin=0.02, alpha=0.05)
    assert validation.blocked == pytest.approx(stopped)
    assert any(w.startswith(f"the guards would stop an unchanged model in {stopped:.0%}") for w in validation.warnings)
    assert any("use gate.margin = 0.08" in w for w in validation.warnings)


def test_more_guard_items_are_proposed_only_where_there_are_as_many() -> None:
    wide = {"easy": {"guard": True, "task": {"operation": "add"}}, "hard": {"task": {"operation": "subtract"}}}
    assert any("or splits.guard = 410" in w for w in check(skills=wide, gate={"margin": 0.02}).warnings)


def test_a_scenario_without_guards_is_warned_about() -> None:
    validation = check(skills={"hard": {"task": {"operation": "add"}}})
    assert (validation.losses, validation.blocked) == ({}, 0.0)
    assert any("no skill is a guard" in w for w in validation.warnings)


def test_the_smallest_gain_is_that_of_all_targets_together_at_the_error_of_one_round() -> None:
    validation = check()
    assert (validation.select, validation.alpha) == (60, 0.025)
    assert validation.gain == detectable_gain(60, alpha=0.025)


def test_the_lines_say_what_can_be_seen_and_end_with_what_is_wrong() -> None:
    lines = check(gate={"margin": 0.02}).lines()
    assert lines[0].startswith("guard   easy  1,000 tasks  probe ")
    assert any(line.startswith("select  60 items: sees a gain of ") for line in lines)
    assert any(line.startswith("guard   easy, 60 items: stops a loss of ") for line in lines)
    assert lines[-1].startswith("warning the guards would stop")
