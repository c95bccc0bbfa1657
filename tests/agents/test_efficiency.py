import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from evolvent.agents import efficiency, planning
from evolvent.agents.desk import SPARE, Desk
from evolvent.agents.efficiency import Efficiency, Point, crossing
from evolvent.agents.reports.watcher import Nobody
from evolvent.memory.errors import PartError

from ..killing import MINI, session

OWN = "from evolvent.scenarios.sources.arithmetic import Arithmetic\n\n\nclass Mine(Arithmetic):\n    pass\n"
"""A source of the user's own, in a module beside the scenario."""
CURVE = [Point(0, 0, 0.1), Point(100, 50, 0.5), Point(200, 90, 0.4), Point(300, 120, 0.9)]


def test_a_score_between_two_rounds_is_read_off_the_line_between_them() -> None:
    assert crossing(CURVE, 0.3) == pytest.approx(Point(50, 50, 0.3))
    assert crossing(CURVE, 0.65) == pytest.approx(Point(250, 120, 0.65))


def test_what_the_student_knew_before_takes_no_samples_and_what_it_never_learns_is_said() -> None:
    assert crossing(CURVE, 0.1) == CURVE[0]
    assert crossing(CURVE, 0.95) is None


def made(seed: int, needed: float, *, reached: bool = True) -> Efficiency:
    return Efficiency(seed, twin=1000, score=0.8, needed=needed, probes=100, reached=reached)


def test_the_ratio_is_of_all_samples_together_with_and_without_probes() -> None:
    said = efficiency.facts([made(0, 400), made(1, 600), made(2, 500)])
    assert said["samples"]["ratio"] == pytest.approx(0.5)
    assert said["with_probes"]["ratio"] == pytest.approx(0.6)
    assert said["samples"]["low"] < 0.5 < said["samples"]["high"]


def test_a_session_that_never_got_there_is_said_and_not_hidden_in_the_mean() -> None:
    assert any(
        "1 of 2 never got there" in line for line in efficiency.lines([made(0, 400), made(1, 900, reached=False)])
    )
    assert "not reached" in made(1, 900, reached=False).line()


def test_one_session_gives_a_ratio_and_no_interval() -> None:
    assert json.loads(json.dumps(efficiency.facts([made(0, 400)]), allow_nan=False))["samples"] == {
        "ratio": 0.4,
        "low": None,
        "high": None,
    }
    assert any("one session gives no interval" in line for line in efficiency.lines([made(0, 400)]))


def own(folder: Path) -> Path:
    """A scenario whose source is a module of the user's own, and that module beside it."""
    (folder / "of_mine").mkdir()
    (folder / "of_mine" / "__init__.py").touch()
    (folder / "of_mine" / "sums.py").write_text(OWN)
    scenario = folder / "own.toml"
    scenario.write_text(MINI.read_text().replace('name = "arithmetic"', 'name = "of_mine.sums"'))
    return scenario


def begun(folder: Path, *, overrides: Sequence[str] = ()) -> Desk:
    """A run that was begun; its desk is closed."""
    plan = planning.plan(MINI, overrides, seed=0, limit=None, allow_import=False)
    desk = Desk.create(
        folder, plan.scenario, plan.parts, plan.session(), toml=plan.toml, stamp="then", watcher=Nobody()
    )
    desk.close()
    return desk


def test_the_twin_may_answer_as_long_as_in_the_exams_of_the_session(tmp_path: Path) -> None:
    # only a guard, which the twin does not sit here, has the longest answers
    desk = begun(tmp_path, overrides=["skills.add-plain.task.digits=7"])
    most = efficiency.room(desk.run, desk.scenario, desk.parts)
    assert most == desk.longest
    assert most > SPARE + max(len(task.answer) for task in desk.items("select"))


def test_a_session_that_trained_nothing_has_no_twin(tmp_path: Path) -> None:
    assert efficiency.measure(begun(tmp_path).run) is None


def test_parts_of_ones_own_are_loaded_only_where_that_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    plan = planning.plan(own(tmp_path), [], seed=0, limit=None, allow_import=True)
    desk = Desk.create(
        tmp_path, plan.scenario, plan.parts, plan.session(), toml=plan.toml, stamp="then", watcher=Nobody()
    )
    desk.close()
    assert efficiency.room(desk.run, plan.scenario, plan.parts, allow_import=True) == desk.longest
    with pytest.raises(PartError, match="allow it with --allow-import"):
        efficiency.room(desk.run, plan.scenario, plan.parts)


@pytest.mark.slow
def test_sessions_of_several_seeds_end_with_what_targeting_saved(tmp_path: Path) -> None:
    words = ("--seeds", "2", "--allow-import", "--set", "rounds.most=1", "--set", "rounds.samples=90")
    paths = {"PYTHONPATH": str(tmp_path)}
    ended = session("run", own(tmp_path), "--json", *words, folder=tmp_path, environment=paths)
    assert ended.code == 0, ended.said
    last = ended.events[-1]
    assert last["event"] == "seeds"
    assert [one["seed"] for one in last["seeds"]] == [0, 1]
    assert all(one["twin"] > 0 for one in last["seeds"])
    told = [e["event"] for e in ended.events if e["event"] in ("done", "seed", "seeds")]
    assert told == ["done", "seed", "done", "seed", "seeds"]
    json.dumps(last, allow_nan=False)
