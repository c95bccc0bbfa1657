import json
from pathlib import Path

import pytest

from evolvent.agents.planning import plan
from evolvent.memory.errors import PartError, ScenarioError

SPLITS = """
[splits]
select = 20
guard = 20
sealed = 20
[probe]
least = 8
most = 8
aimed = 8
[rounds]
most = 1
samples = 40
"""


def write_scenario(
    folder: Path, *, answer: str = "{i}", skills: str = "[skills.talk]\n", verifier: str = "exact"
) -> Path:
    rows = [{"prompt": f"say {i}", "answer": answer.format(i=i), "skill": "talk"} for i in range(600)]
    (folder / "tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = folder / "talk.toml"
    source = '[source]\nname = "file"\npath = "tasks.jsonl"\n'
    path.write_text(f'name = "talk"\nverifier = "{verifier}"\n{source}{SPLITS}{skills}')
    return path


def refused(path: Path, *overrides: str, limit: int | None = None) -> str:
    with pytest.raises(ScenarioError) as error:
        plan(path, overrides, seed=0, limit=limit, allow_import=False)
    return str(error.value)


def test_a_file_of_your_own_tasks_makes_a_plan(tmp_path: Path) -> None:
    made = plan(write_scenario(tmp_path), [], seed=0, limit=None, allow_import=False)
    assert made.estimate.rounds == 1
    assert made.validation.select == 20


def test_a_session_on_longer_rows_is_foreseen_to_take_longer_by_as_much(tmp_path: Path) -> None:
    seconds = [
        plan(write_scenario(tmp_path, answer=answer), [], seed=0, limit=None, allow_import=False).estimate.seconds
        for answer in ("{i}", "x" * 20 + "{i}", "x" * 40 + "{i}")
    ]
    assert seconds[0] < seconds[1] < seconds[2]
    assert seconds[2] - seconds[1] == pytest.approx(seconds[1] - seconds[0], rel=0.5)


def test_what_the_student_cannot_read_is_refused_before_anything_runs(tmp_path: Path) -> None:
    assert "holds 'ü', which the student cannot read" in refused(write_scenario(tmp_path, answer="Zürich {i}"))
    assert "holds '<end>'" in refused(write_scenario(tmp_path, answer="{i}<end>"))


def test_a_reference_that_its_verifier_refuses_is_refused_first(tmp_path: Path) -> None:
    assert "holds no number" in refused(write_scenario(tmp_path, answer="none", verifier="numeric"))


def test_skills_that_share_tasks_are_refused(tmp_path: Path) -> None:
    skills = '[skills.talk]\n[skills.chat]\nguard = true\ntask = { named = "talk" }\n'
    assert "keep skills apart" in refused(write_scenario(tmp_path, skills=skills))


def test_everything_that_is_wrong_with_the_tasks_is_said_at_once(tmp_path: Path) -> None:
    skills = '[skills.talk]\n[skills.chat]\ntask = { named = "talk" }\n'
    path = write_scenario(tmp_path, answer="Zürich {i}", skills=skills)
    path.write_text(path.read_text().replace("select = 20", "select = 200"))
    said = refused(path)
    assert said.count("talk.toml: ") == 1
    assert said.count("lower splits.select") == 2
    assert said.count("holds 'ü'") == 2
    assert said.count("keep skills apart") == 1


def test_every_skill_that_the_source_refuses_is_named_at_once(tmp_path: Path) -> None:
    path = write_scenario(tmp_path, skills="[skills.tolk]\n[skills.tulk]\n")
    with pytest.raises(PartError) as error:
        plan(path, [], seed=0, limit=None, allow_import=False)
    assert str(error.value).count("talk.toml: ") == 1
    assert "skills.tolk: " in str(error.value)
    assert "; skills.tulk: " in str(error.value)


def test_a_limit_does_not_let_a_skill_pass_that_has_no_task_for_some_end(tmp_path: Path) -> None:
    path = write_scenario(tmp_path)
    tasks = tmp_path / "tasks.jsonl"
    tasks.write_text(tasks.read_text().splitlines()[0])
    assert "skills.talk: of its 1 distinct tasks none falls to " in refused(path, limit=10)


def test_tasks_that_are_too_long_for_the_trainer_are_refused_before_anything_runs(tmp_path: Path) -> None:
    path = write_scenario(tmp_path, answer="7" * 3000 + "{i}")
    assert "too long for trainer.longest 128" in refused(path)
    assert (
        "too long for trainer.longest 4,000"
        not in plan(path, ["trainer.longest=4000"], seed=0, limit=None, allow_import=False).lines()
    )


def test_a_planted_defect_that_no_task_has_is_refused(tmp_path: Path) -> None:
    path = write_scenario(tmp_path)
    assert "no task of the skill has the feature 'has digits'; did you mean 'has digit'" in refused(
        path, 'student.first.skills.talk=["has digits"]'
    )
    plan(path, ['student.first.skills.talk=["has digit"]'], seed=0, limit=None, allow_import=False)
