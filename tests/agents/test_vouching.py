"""Judges behind a verifier: tried on known answers before a session begins, and no session where one is unsound."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evolvent.agents.desk import Desk
from evolvent.agents.estimate import estimate
from evolvent.agents.graph import nodes
from evolvent.agents.judging.golden import TASKS, golden
from evolvent.agents.judging.vouching import vouch
from evolvent.agents.node import State
from evolvent.agents.parts import Parts
from evolvent.memory.auditions import Audition
from evolvent.memory.errors import EvolventError, PartError, UnavailableError
from evolvent.memory.records import Attempt, Exam, Probe

from ..endpoint import MODEL, serving
from ..judging import Judge, by_length, by_position, constant
from ..teaching import Teaching
from .desks import make_desk, make_scenario

START = State(
    round=1, student="scripted", path="base", candidate="", candidate_path="", attempt=0, missing=0, finished=False,
    approved=True, effects=0,
)  # fmt: skip


@pytest.fixture
def endpoint() -> Iterator[Teaching]:
    with serving(Teaching()) as taught:
        assert isinstance(taught, Teaching)
        yield taught


def make_graded(endpoint: Teaching, folder: Path, **changes: Any) -> Desk:
    judge = {"name": "openai", "base_url": endpoint.url, "model": MODEL, "deadline": 5, "answer_price": 1}
    return make_desk(folder, **{"verifier": "rubric", "models": {"judge": judge}, **changes})


async def test_a_sound_judge_is_tried_once_and_on_the_record(endpoint: Teaching, tmp_path: Path) -> None:
    desk = make_graded(endpoint, tmp_path)
    await vouch(desk)
    (found,) = desk.ledger.read(Audition)
    assert (found.judge, found.sound, found.kappa) == ("rubric grader by judge", True, 1.0)
    paid = len(endpoint.bodies)
    await vouch(desk)
    assert len(endpoint.bodies) == paid
    assert desk.account.purse.roles["judge"].usd > 0
    desk.close()


@pytest.mark.parametrize(
    ("judge", "reason"),
    [
        (constant, "agrees with 32 of 64 known verdicts .*accepts 21 of 32 answers that are none"),
        (by_length, f"accepts {TASKS} of {TASKS} wrong answers when they are long"),
        (by_position, "changes its mind on 16 of 32 when the answer stands first"),
    ],
)
async def test_no_session_begins_with_an_unsound_judge(
    endpoint: Teaching, tmp_path: Path, judge: Judge, reason: str
) -> None:
    endpoint.judges["Be strict"] = judge
    prompts = {"grader": "Grade. {{ data }}", "strict": "Be strict. {{ data }}"}
    desk = make_graded(endpoint, tmp_path, verifier={"name": "rubric", "prompts": prompts})
    for _ in range(2):
        with pytest.raises(
            EvolventError, match=rf"not sound \(rubric strict by judge: {reason}.*\); name another model"
        ):
            await nodes()["baseline"].run(START, desk)
    assert desk.ledger.read(Exam) == []
    desk.close()


async def test_a_judge_that_cannot_be_read_begins_no_session_either(endpoint: Teaching, tmp_path: Path) -> None:
    desk = make_graded(endpoint, tmp_path)
    endpoint.rambles = True
    with pytest.raises(UnavailableError, match="could not be read on"):
        await vouch(desk)
    desk.close()


def test_where_no_program_judges_wrong_answers_are_those_to_other_tasks(endpoint: Teaching, tmp_path: Path) -> None:
    desk = make_graded(endpoint, tmp_path)
    items = golden(desk.splits, desk.parts.verifier)
    right = {item.place: item.task for item in items if item.trial == "right"}
    wrong = [item.task for item in items if item.trial == "wrong"]
    assert len(right) == len(wrong) == TASKS
    answers = {(task.skill, task.answer) for skill in desk.scenario.skills for task in drawn(desk, skill)}
    assert all((task.skill, task.answer) in answers for task in wrong)
    assert not any(item.task.answer == right[item.place].answer for item in items if item.trial in ("wrong", "null"))
    desk.close()


def drawn(desk: Desk, skill: str) -> list[Any]:
    return desk.splits.draw(skill, "train", TASKS, stream="golden")


async def test_judges_grade_probes_and_equal_answers_are_paid_for_once(endpoint: Teaching, tmp_path: Path) -> None:
    desk = make_graded(endpoint, tmp_path)
    await nodes()["probe"].run(START, desk)
    attempts = desk.ledger.read(Attempt)
    assert {(a.task.skill == "multiply") == a.verdict.passed for a in attempts} == {False}
    assert {probe.skill for probe in desk.ledger.read(Probe) if probe.passed == 0} == {"multiply"}
    asked = [str(body["messages"]) for body in endpoint.bodies if "Grade an answer" in str(body["messages"])]
    assert len(asked) == len(set(asked)) == desk.account.purse.roles["judge"].calls
    desk.close()


def test_a_plan_says_how_often_judges_are_asked_at_most(endpoint: Teaching, tmp_path: Path) -> None:
    desk = make_graded(endpoint, tmp_path)
    planned = estimate(desk.scenario, desk.parts, limit=None)
    assert planned.grades == planned.probes + planned.exam_answers + 5 * TASKS
    assert f"at most {planned.grades:,} calls of the judges that grade these answers" in planned.lines()
    desk.close()
    program = make_scenario()
    assert estimate(program, Parts.resolve(program, "small.toml"), limit=None).grades == 0


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, r"verifier 'rubric' asks a judge; name its engine in \[models.judge\]"),
        ({"trainer": "grpo"}, "models, which trainer 'grpo' cannot wait for"),
    ],
)
def test_a_verifier_without_anybody_to_ask_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(PartError, match=why):
        Parts.resolve(make_scenario(verifier="rubric", **changes), "small.toml")


@pytest.mark.parametrize("within", [False, True], ids=["rubric", "a part of a combination"])
def test_criteria_for_a_skill_that_there_is_not_are_refused_with_the_nearest_name(within: bool) -> None:
    skill = next(iter(make_scenario().skills))
    rubric = {"name": "rubric", "skills": {f"{skill}x": ["It is kind."]}}
    verifier = {"name": "all_of", "parts": ["exact", rubric]} if within else rubric
    with pytest.raises(PartError, match=rf"no skill is called '{skill}x'; did you mean '{skill}'\?"):
        Parts.resolve(make_scenario(verifier=verifier), "small.toml")
