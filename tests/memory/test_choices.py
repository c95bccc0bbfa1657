import json
from pathlib import Path
from typing import Any

import pytest

from evolvent.memory.choices import Choice, Standing, decide, parse, standing
from evolvent.memory.errors import EvolventError, RunError, UsageError
from evolvent.memory.reading import Run

from .runs import make_run, story
from .waiting import make_waiting


def look(run: Path) -> Standing:
    with Run.load(run) as opened:
        return standing(opened)


def choose(run: Path, *choices: Choice) -> Standing:
    with Run.load(run) as opened:
        return decide(opened, choices)


def contents(run: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (run / "review").rglob("*.json")}


def test_a_decision_is_a_file_that_says_whose_it_is_and_of_what(tmp_path: Path) -> None:
    run, samples = make_waiting(tmp_path)
    choose(run, Choice(sample=samples[0].id, action="reject", by="ann", reason="no sum"))
    found = look(run)
    assert found.choices[samples[0].id].reason == "no sum"
    assert {entry.sample.id for entry in found.undecided} == {s.id for s in samples[1:]}


def test_the_same_decision_twice_changes_nothing_and_another_one_replaces_it(tmp_path: Path) -> None:
    run, samples = make_waiting(tmp_path)
    accepted = Choice(sample=samples[0].id, action="accept")
    choose(run, accepted)
    before = contents(run)
    choose(run, accepted)
    assert contents(run) == before
    choose(run, Choice(sample=samples[0].id, action="edit", answer="3"))
    assert [c.action for c in look(run).choices.values()] == ["edit"]


def test_one_wrong_decision_among_several_leaves_no_file(tmp_path: Path) -> None:
    run, samples = make_waiting(tmp_path)
    with pytest.raises(UsageError, match="does not wait for a review in round 1"):
        choose(run, Choice(sample=samples[0].id, action="accept"), Choice(sample="f" * 16, action="accept"))
    assert contents(run) == {}


@pytest.mark.parametrize("approved", [True, False])
def test_one_file_may_decide_on_the_whole_round(tmp_path: Path, approved: bool) -> None:
    run, _ = make_waiting(tmp_path)
    (run / "review").mkdir()
    (run / "review" / "round-001.json").write_text(json.dumps({"approved": approved}))
    assert (look(run).approved, len(look(run).undecided)) == (approved, 0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"action": "reject"}, "says why"),
        ({"action": "edit"}, "an edit gives a new prompt"),
        ({"action": "accept", "answer": "3"}, "nothing else does"),
        ({"action": "edit", "answer": " "}, "reject the sample instead"),
        ({"action": "maybe"}, "action"),
        ({"action": "accept", "by": ""}, "by"),
        ({"action": "accept", "note": "x"}, "note"),
        ({"action": "edit", "answer": "x" * 100_001}, "answer"),
    ],
)
def test_what_is_no_decision_is_refused_with_its_reason(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse({"sample": "0" * 16, **given}, where="here")


def test_an_edit_that_changes_nothing_is_refused(tmp_path: Path) -> None:
    run, samples = make_waiting(tmp_path)
    with pytest.raises(UsageError, match="changes nothing"):
        choose(run, Choice(sample=samples[0].id, action="edit", answer=samples[0].task.answer))
    with pytest.raises(UsageError, match="no reasoning to edit"):
        choose(run, Choice(sample=samples[0].id, action="edit", reasoning="because"))


@pytest.mark.parametrize(
    "wrong",
    [{"session": "another"}, {"round": 2}, {"sample": "f" * 16}, {"action": "edit"}, {"more": 1}, None, [], "x"],
)
def test_a_file_that_is_stale_foreign_or_damaged_is_refused_by_name(tmp_path: Path, wrong: Any) -> None:
    run, samples = make_waiting(tmp_path)
    choose(run, Choice(sample=samples[0].id, action="accept"))
    path = run / "review" / "round-001" / f"{samples[0].id}.json"
    body = {**json.loads(path.read_text()), **wrong} if isinstance(wrong, dict) else wrong
    path.write_text(json.dumps(body))
    with pytest.raises(RunError, match=rf"{samples[0].id}\.json: cannot be taken in .*; delete it"):
        look(run)


def test_a_link_or_a_file_of_another_name_is_refused(tmp_path: Path) -> None:
    run, samples = make_waiting(tmp_path)
    choose(run, Choice(sample=samples[0].id, action="accept"))
    folder = run / "review" / "round-001"
    (folder / f"{samples[1].id}.json").symlink_to(folder / f"{samples[0].id}.json")
    with pytest.raises(RunError, match="not a file that a review writes"):
        look(run)
    (run / "review").rename(run / "elsewhere")
    (run / "review").symlink_to(run / "elsewhere")
    with pytest.raises(RunError, match="is a link"):
        look(run)


def test_half_a_file_that_a_kill_left_is_not_read(tmp_path: Path) -> None:
    run, samples = make_waiting(tmp_path)
    choose(run, Choice(sample=samples[0].id, action="accept"))
    (run / "review" / "round-001" / f".{samples[1].id}.json.7.tmp").write_text("{")
    assert len(look(run).choices) == 1


def test_a_run_that_asks_nobody_or_is_done_with_it_takes_no_decision(tmp_path: Path) -> None:
    run = make_run(tmp_path / "plain", story())
    with pytest.raises(EvolventError, match="its scenario asks nobody"):
        look(run)
