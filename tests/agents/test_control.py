from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from evolvent.agents.control import draw_evenly
from evolvent.agents.curating import trainable
from evolvent.agents.desk import Desk
from evolvent.agents.reports.comparison import against_twin
from evolvent.agents.rounds import steps_behind
from evolvent.memory.lineage import lineage
from evolvent.memory.records import Arm, Exam, Round, Sample, Score

from .desks import make_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = make_desk(tmp_path)
    yield made
    made.close()


def make_round(number: int, *, start: str = "base", arm: Arm = "targeted", samples: int = 60, steps: int = 7) -> Round:
    return Round(
        number=number, arm=arm, start=start, checkpoint=f"{arm}-{number}", path="", dataset="", samples=samples,
        steps=steps, tokens=1, loss=0.0,
    )  # fmt: skip


def make_exam(passed: str, arm: Arm = "targeted") -> Exam:
    scores = {"add": Score(passed=passed.count("1"), tried=len(passed))}
    return Exam(round=1, student=passed, arm=arm, split="report", scores=scores, passed=passed)


def record(desk: Desk, *records: Sample | Round) -> None:
    drawn, fates = draw_evenly(30, desk)
    desk.ledger.intend("control data", "control data", 0)
    desk.ledger.commit("control data", {}, [*drawn, *fates, *records], 0.0, meta={})


def test_control_data_are_drawn_evenly_over_all_skills(desk: Desk) -> None:
    drawn, fates = draw_evenly(31, desk)
    kept = {fate.sample for fate in fates if fate.kept}
    assert Counter(s.task.skill for s in drawn if s.id in kept) == {"add": 11, "multiply": 10, "subtract": 10}


def test_control_data_go_through_the_rules_and_what_is_turned_down_is_drawn_again(tmp_path: Path) -> None:
    strict = make_desk(tmp_path, trainer={"name": "sft", "longest": 18})
    drawn, fates = draw_evenly(30, strict)
    strict.close()
    long = {s.id for s in drawn if s.task.skill == "add"}
    assert {f.sample for f in fates if f.reason == "too long for the trainer"} == long
    assert len({s.task.key for s in drawn}) == len(drawn) == len(fates) == 30 + 10 + 10


def test_the_first_training_leaves_out_leaks_and_what_is_too_long(desk: Desk) -> None:
    good, leak = desk.splits.draw("add", "train", 5, stream="x"), desk.splits.draw("add", "report", 2, stream="x")
    long = good[0].model_copy(update={"prompt": "1" * 200, "key": good[0].key})
    assert trainable([*leak, *good[1:], long, good[1]], desk) == good[1:]


def test_a_control_sample_is_explained_by_its_lineage(desk: Desk) -> None:
    twin = make_round(2, arm="control")
    record(desk, twin, make_round(1), make_round(2))
    sample = desk.kept(arm="control")[0]
    found = lineage(desk.ledger, sample.id)
    assert (found.trained_in, found.weakness, found.fate and found.fate.kept) == ((twin,), None, True)


def test_control_samples_are_never_taken_for_targeted_ones(desk: Desk) -> None:
    record(desk)
    assert desk.kept() == []
    assert len(desk.kept(arm="control")) == 30


def test_the_twin_gets_the_steps_its_model_builds_on_and_no_others() -> None:
    one, rejected = make_round(1), make_round(2, start="targeted-1", steps=100)
    three = make_round(3, start="targeted-1", steps=5)
    assert steps_behind(three, [one, rejected, three]) == 12
    assert steps_behind(make_round(3), [one, rejected]) == 7


def test_the_comparison_says_what_either_arm_was_given() -> None:
    rounds = [make_round(1), make_round(1, arm="control", samples=58, steps=6)]
    sealed = {"base": make_exam("0" * 40), "final": make_exam("1" * 40), "control": make_exam("0" * 40, "control")}
    found = against_twin(sealed, rounds, rounds[1], ["add"], probes=100)
    assert [found[k] for k in ("targeted_samples", "targeted_steps", "samples", "steps")] == [60, 7, 58, 6]
    assert (found["verdict"], found["samples_with_probes"]) == ("targeting helped", 160)


def test_where_nothing_was_promoted_the_candidate_is_compared_and_the_verdict_says_so() -> None:
    rounds = [make_round(1), make_round(2), make_round(2, arm="control")]
    sealed = {n: make_exam(p * 40) for n, p in {"base": "0", "final": "0", "candidate": "1", "control": "0"}.items()}
    found = against_twin(sealed, rounds, rounds[2], ["add"], probes=0)
    assert (found["targeted"], found["promoted"]) == (1.0, False)
    assert found["verdict"] == "targeting helped, judged on a candidate that was turned down"
    assert "candidate of round 2, which was turned down; nothing was promoted" in found["compared"]
