"""Judges who disagree see each other's critiques once, and the rule is applied to what they say then."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from evolvent.agents.commands.telling import of_sample
from evolvent.agents.desk import Desk
from evolvent.agents.judging.jury import seat
from evolvent.agents.parts import Parts
from evolvent.agents.prompts import REFUTES, SOLVES
from evolvent.memory.debates import Debate
from evolvent.memory.errors import PartError
from evolvent.memory.lineage import lineage
from evolvent.memory.records import Critique

from ..endpoint import serving
from ..judging import Judge, Shown, by_length, by_position, constant, sound
from ..teaching import Teaching
from .desks import make_scenario
from .test_llm import judged, make_sample, make_taught, on_file

GOOD, BAD = make_sample("55+55", "011"), make_sample("59+55", "000")
THREE = {"a": SOLVES, "b": REFUTES, "c": "CRITIC {{ skill }} {{ data }}"}


def hasty(shown: Shown, prompt: str) -> str:
    """Work the sum, but for one that it takes for wrong and one that it takes for right."""
    return {"55+55": "bad", "59+55": "perfect"}.get(shown["question"]) or sound(shown, prompt)


@pytest.fixture
def endpoint() -> Iterator[Teaching]:
    taught = Teaching({"refute": hasty})
    with serving(taught):
        yield taught


async def argued(desk: Desk) -> tuple[dict[str, Critique], dict[str, Debate]]:
    critiques, _ = await judged(desk, GOOD, BAD)
    return {c.sample: c for c in critiques}, {d.sample: d for d in desk.ledger.read(Debate)}


async def test_without_a_debate_one_bad_refuses_and_nobody_is_asked_again(endpoint: Teaching, tmp_path: Path) -> None:
    desk = on_file(endpoint, tmp_path)
    critiques, debates = await argued(desk)
    assert [critiques[s.id].accepted for s in (GOOD, BAD)] == [False, False]
    assert debates == {}
    assert endpoint.quoted == []
    desk.close()


async def test_the_rule_is_applied_to_what_judges_say_after_they_saw_each_other(
    endpoint: Teaching, tmp_path: Path
) -> None:
    endpoint.arguing = sound
    desk = on_file(endpoint, tmp_path, debate=1)
    critiques, debates = await argued(desk)
    assert [critiques[s.id].accepted for s in (GOOD, BAD)] == [True, False]
    said = [(t.turn, t.judge, t.verdict) for t in debates[GOOD.id].turns]
    assert said == [
        (0, "solver", "perfect"),
        (0, "sceptic", "bad"),
        (1, "solver", "perfect"),
        (1, "sceptic", "perfect"),
    ]
    assert critiques[GOOD.id].reason.startswith("solver: perfect")
    desk.close()


async def test_judges_that_do_not_change_their_minds_leave_a_sample_refused_after_so_many_turns(
    endpoint: Teaching, tmp_path: Path
) -> None:
    desk = on_file(endpoint, tmp_path, debate=2)
    await seat(desk)
    before = desk.account.purse.roles["judge"].calls
    critiques, debates = await argued(desk)
    assert not critiques[GOOD.id].accepted
    assert [t.turn for t in debates[GOOD.id].turns] == [0, 0, 1, 1, 2, 2]
    # two samples, and the repair of the second, on which both agree, of two judges; and two turns of two debates
    assert desk.account.purse.roles["judge"].calls - before <= 3 * 2 + 3 * 2 * 2
    desk.close()


async def test_judges_that_agree_do_not_talk(endpoint: Teaching, tmp_path: Path) -> None:
    endpoint.judges.clear()
    desk = on_file(endpoint, tmp_path, debate=3)
    critiques, debates = await argued(desk)
    assert [critiques[s.id].accepted for s in (GOOD, BAD)] == [True, False]
    assert debates == {}
    desk.close()


async def test_critiques_are_quoted_as_data_and_without_their_authors(endpoint: Teaching, tmp_path: Path) -> None:
    desk = on_file(endpoint, tmp_path, debate=1, judging=THREE)
    await argued(desk)
    asked = [b["messages"] for b in endpoint.bodies if len(b["messages"]) > 2]
    assert asked
    assert {turn["role"] for turn in asked[0]} == {"system", "user", "assistant"}
    assert all("<data>" in turns[-1]["content"] for turns in asked)
    assert {frozenset(one) for quoted in endpoint.quoted for one in quoted} == {frozenset({"verdict", "reason"})}
    assert {len(quoted) for quoted in endpoint.quoted} == {2}
    desk.close()


async def test_a_debate_that_is_repeated_is_the_same_and_is_not_paid_again(endpoint: Teaching, tmp_path: Path) -> None:
    desk = on_file(endpoint, tmp_path, debate=2, judging=THREE)
    await seat(desk)
    judge = desk.parts.teacher.judge
    first = await judge([GOOD, BAD], sound=THREE, models=desk.models)
    paid = len(endpoint.bodies)
    assert await judge([GOOD, BAD], sound=THREE, models=desk.models) == first
    assert len(endpoint.bodies) == paid
    desk.close()


@pytest.mark.slow
@pytest.mark.parametrize("biased", [constant, by_length, by_position])
async def test_a_biased_judge_gains_nothing_by_a_debate(endpoint: Teaching, tmp_path: Path, biased: Judge) -> None:
    endpoint.judges["CRITIC"] = biased
    desk = on_file(endpoint, tmp_path, debate=2, judging=THREE)
    assert (await seat(desk)).sound == {"a", "b"}
    critiques, debates = await argued(desk)
    assert not any(critiques[s.id].accepted for s in (GOOD, BAD))
    assert {turn.judge for debate in debates.values() for turn in debate.turns} == {"a", "b"}
    assert {len(quoted) for quoted in endpoint.quoted} == {1}
    assert not any("CRITIC" in str(b) for b in endpoint.bodies if len(b["messages"]) > 2)
    desk.close()


def mumble(given: Shown, prompt: str) -> str:
    del given, prompt
    return "no verdict"


async def test_a_judge_that_falls_silent_in_a_debate_stands_by_what_it_said(endpoint: Teaching, tmp_path: Path) -> None:
    desk = on_file(endpoint, tmp_path, debate=1)
    await seat(desk)
    judge, before = desk.parts.teacher.judge, len(endpoint.bodies)
    endpoint.arguing = mumble
    (opinion,) = await judge([GOOD], sound=("solver", "sceptic"), models=desk.models)
    assert len(endpoint.bodies) > before + 2
    assert opinion is not None
    assert not opinion.accepted
    assert [t.verdict for t in opinion.turns] == ["perfect", "bad", "", ""]
    desk.close()


async def test_a_verifier_overrules_whatever_judges_would_say(endpoint: Teaching, tmp_path: Path) -> None:
    desk = make_taught(endpoint, tmp_path, debate=2)
    critiques, _ = await judged(desk, make_sample("556+555", "0121"))
    assert [(c.judge, c.accepted) for c in critiques] == [("exact", True)]
    assert desk.ledger.read(Debate) == []
    desk.close()


async def test_what_was_said_is_told_with_the_sample(endpoint: Teaching, tmp_path: Path) -> None:
    endpoint.arguing = sound
    desk = on_file(endpoint, tmp_path, debate=1)
    await argued(desk)
    told = "\n".join(of_sample(lineage(desk.ledger, GOOD.id), "run"))
    assert "before the debate: sceptic said bad (worked it)" in told
    assert "debate, turn 1: sceptic said perfect (worked it)" in told
    desk.close()


def test_more_turns_than_anybody_listens_to_are_refused() -> None:
    with pytest.raises(PartError, match="debate: input should be less than or equal to 4, not 9"):
        Parts.resolve(make_scenario(teacher={"name": "llm", "debate": 9}), "small.toml")
