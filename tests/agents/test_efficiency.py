import json
from pathlib import Path

import pytest

from evolvent.agents import efficiency
from evolvent.agents.efficiency import Efficiency, Point, crossing

from ..killing import MINI, session

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


@pytest.mark.slow
def test_sessions_of_several_seeds_end_with_what_targeting_saved(tmp_path: Path) -> None:
    words = ("--seeds", "2", "--set", "rounds.most=1", "--set", "rounds.samples=90")
    ended = session("run", MINI, "--json", *words, folder=tmp_path)
    assert ended.code == 0, ended.said
    last = ended.events[-1]
    assert last["event"] == "seeds"
    assert [one["seed"] for one in last["seeds"]] == [0, 1]
    assert all(one["twin"] > 0 for one in last["seeds"])
    assert len([e for e in ended.events if e["event"] == "done"]) == 2
    json.dumps(last, allow_nan=False)
