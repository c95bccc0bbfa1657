import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolvent.memory.records import Split
from evolvent.scenarios.splits import Splits, place
from evolvent.scenarios.supply import supply

from .builders import make_scenario, make_splits

PARTS = ("probe", "exam", "report", "train")
SPLITS: tuple[Split, ...] = ("select", "guard", "report")
SMALL = {"select": 40, "guard": 30, "sealed": 20}


@given(st.text())
def test_every_key_belongs_to_exactly_one_part(key: str) -> None:
    splits = make_splits(make_scenario())
    assert [splits.only(part)(key) for part in PARTS].count(True) == 1


@given(st.text(), st.text())
def test_a_place_is_a_share_fixed_by_key_and_salt(key: str, salt: str) -> None:
    assert 0 <= place(key, salt) < 1
    assert place(key, salt) == place(key, salt)


def test_parts_get_their_shares() -> None:
    splits = make_splits(make_scenario(splits={"probe": 0.1, "exam": 0.2, "report": 0.3}))
    parts = [splits.part(f"key {n}") for n in range(4000)]
    assert [parts.count(p) / 4000 for p in PARTS] == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=0.03)


def test_the_part_of_a_key_depends_on_the_scenario_and_not_on_the_seed() -> None:
    keys = [f"key {n}" for n in range(100)]
    here, there = make_splits(make_scenario()), make_splits(make_scenario(), seed=1)
    other = make_splits(make_scenario(name="other"))
    assert [here.part(k) for k in keys] == [there.part(k) for k in keys] != [other.part(k) for k in keys]


def test_what_is_drawn_for_one_end_serves_no_other() -> None:
    splits = make_splits(make_scenario(splits=SMALL))
    drawn = [{t.key for t in splits.draw("hard", part, 100, stream="x")} for part in PARTS]
    assert all(drawn)
    assert sum(map(len, drawn)) == len(set().union(*drawn))


def test_exams_hold_their_skills_sizes_and_parts() -> None:
    splits = make_splits(make_scenario(splits=SMALL))
    held = {split: [(task.skill, splits.part(task.key)) for task in splits.items(split)] for split in SPLITS}
    assert held["select"] == [("hard", "exam")] * 40
    assert held["guard"] == [("easy", "exam")] * 30
    assert held["report"] == [("easy", "report")] * 20 + [("hard", "report")] * 20


def test_exams_are_the_same_for_one_seed_and_differ_for_another() -> None:
    scenario = make_scenario(splits=SMALL)
    first, again, other = (make_splits(scenario, seed=seed).items("select") for seed in (0, 0, 1))
    assert first == again != other


def test_a_limit_shortens_every_exam() -> None:
    assert len(make_splits(make_scenario(splits=SMALL)).items("report", limit=5)) == 10


def test_streams_draw_different_tasks() -> None:
    splits = make_splits(make_scenario())
    one, two = (splits.draw("hard", "train", 20, stream=stream) for stream in ("round 1", "round 2"))
    assert one != two


def test_what_was_opened_before_is_in_no_exam_and_still_in_no_training() -> None:
    scenario = make_scenario(splits=SMALL)
    before = make_splits(scenario)
    opened = {"hard": frozenset(t.key for s in SPLITS for t in before.items(s) if t.skill == "hard")}
    after = Splits(scenario, before.source, 0, opened)
    fresh = {t.key for split in SPLITS for t in after.items(split)}
    assert len(opened["hard"]) == 60
    assert opened["hard"].isdisjoint(fresh)
    assert {after.owner(key) for key in opened["hard"]} == {"exam", "report"}
    assert after.items("guard") == before.items("guard")


def test_what_was_opened_before_is_not_counted_on() -> None:
    scenario = make_scenario(splits=SMALL)
    splits = make_splits(scenario)
    report = frozenset(t.key for t in splits.draw("hard", "report", 100, stream="before"))
    before, after = supply(splits, "hard"), supply(Splits(scenario, splits.source, 0, {"hard": report}), "hard")
    assert after.held["report"] == before.held["report"] - 100
    assert after.held["exam"] == before.held["exam"]
