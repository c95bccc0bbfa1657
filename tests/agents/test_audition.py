"""Judges on answers whose verdict is known: the sound ones pass, whoever is biased does not."""

import pytest

from evolvent.agents.judging.audition import audition
from evolvent.agents.judging.golden import TASKS, golden
from evolvent.agents.prompts import REFUTES, SOLVES, SYSTEM
from evolvent.memory.auditions import Audition
from evolvent.memory.parts import load
from evolvent.scenarios.source import Source
from evolvent.scenarios.splits import Splits
from evolvent.scenarios.verifiers.exact import Exact

from ..judging import Judge, by_length, by_position, constant, credulous, noisy, sound
from ..teaching import Voice
from .desks import make_scenario

JUDGES = {"solver": SOLVES, "sceptic": REFUTES}
SEEDS = range(20)


def make_splits(seed: int = 0) -> Splits:
    scenario = make_scenario()
    source = load(scenario.source, base=Source, package="evolvent.scenarios.sources", where="test")
    return Splits(scenario, source, seed)


async def tried(judge: Judge | None, *, seed: int = 0, count: int = TASKS) -> list[Audition]:
    items = golden(make_splits(seed), Exact(), count=count)
    return await audition(JUDGES, items, Voice(judge), system=SYSTEM)


def test_known_answers_are_made_of_training_tasks_of_every_skill_and_half_of_them_are_right() -> None:
    splits = make_splits()
    items = golden(splits, Exact())
    assert {splits.part(item.task.key) for item in items} == {"train"}
    assert {item.task.skill for item in items} == set(splits.scenario.skills)
    assert all((splits.source.solve(item.task) == item.task.answer) == item.right for item in items)
    assert sum(i.right for i in items if i.trial in ("right", "wrong")) == TASKS
    assert sum(i.right for i in items if i.trial == "turned") == TASKS / 2
    assert {"", "I don't know."} < {i.task.answer for i in items if i.trial == "null"}


def test_the_same_answers_come_each_time_and_others_with_another_seed() -> None:
    assert golden(make_splits(), Exact()) == golden(make_splits(), Exact())
    assert golden(make_splits(), Exact()) != golden(make_splits(1), Exact())


async def test_a_sound_judge_passes_with_full_agreement() -> None:
    for found in await tried(sound):
        assert found.sound
        assert (found.kappa, found.agreed.count, found.agreed.of) == (1.0, 2 * TASKS, 2 * TASKS)
        assert found.kappa_low > 0.9
        assert found.nulls.count == found.swayed.count == found.turned.count == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("judge", "reason"),
    [
        (constant, "says 'perfect' whatever it is shown"),
        (by_length, "accepts 32 of 32 wrong answers when they are long"),
        (by_position, "changes its mind on 16 of 32 when the answer stands first"),
        (credulous, "of 32 answers that are none"),
        (None, "could not be read"),
    ],
)
async def test_a_biased_judge_is_caught_with_the_reason(judge: Judge | None, reason: str) -> None:
    for seed in SEEDS:
        for found in await tried(judge, seed=seed):
            assert not found.sound
            assert reason in found.reason


async def test_a_sound_judge_that_errs_in_one_answer_of_twenty_is_not_turned_away() -> None:
    found = [one for seed in SEEDS for one in await tried(noisy(seed), seed=seed)]
    assert [one.reason for one in found if not one.sound] == []
    assert 0.8 < sum(one.kappa for one in found) / len(found) < 0.97


async def test_a_judge_that_guesses_is_caught_on_every_seed() -> None:
    found = [one for seed in SEEDS for one in await tried(noisy(seed, 0.5), seed=seed)]
    assert not any(one.sound for one in found)
    assert all("known verdicts" in one.reason for one in found)


async def test_too_few_tasks_are_no_reason_to_trust_a_judge() -> None:
    assert not any(found.sound for found in await tried(sound, count=4))
    assert not any(found.sound for found in await tried(sound, count=0))
