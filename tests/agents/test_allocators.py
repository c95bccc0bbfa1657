import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolvent.agents.allocator import Allocator, History
from evolvent.agents.allocators.learnability import Learnability
from evolvent.memory.parts import PartSpec, known, load

PACKAGE = "evolvent.agents.allocators"
ALLOCATORS = [load(PartSpec(name=name), base=Allocator, package=PACKAGE, where="test") for name in known(PACKAGE)]


def history(
    skill: str, *passed: int, chance: float = 0.0, taught: int = 100, mastered: bool = False, abandoned: bool = False
) -> History:
    rounds = len(passed)
    return History(
        skill,
        passed,
        (100,) * rounds,
        (chance,) * rounds,
        (taught,) * (rounds - 1),
        promoted=tuple(range(1, rounds)),
        mastered=mastered,
        abandoned=abandoned,
    )


@st.composite
def histories_of_skills(draw: st.DrawFn) -> list[History]:
    return [
        history(
            f"skill-{i}",
            *draw(st.lists(st.integers(0, 100), min_size=1, max_size=5)),
            chance=draw(st.floats(0, 1)),
            mastered=draw(st.booleans()),
            abandoned=draw(st.booleans()),
        )
        for i in range(draw(st.integers(1, 8)))
    ]


@pytest.mark.parametrize("allocator", ALLOCATORS, ids=lambda a: a.name)
@given(histories=histories_of_skills(), budget=st.integers(0, 5000))
def test_every_allocator_stays_within_its_budget_and_forgets_no_skill(
    allocator: Allocator, histories: list[History], budget: int
) -> None:
    split = allocator.split(histories, budget, replay=budget // 4, skills=len(histories) + 2)
    assert set(split) == {h.skill for h in histories}
    assert all(p.samples >= 0 for p in split.values())
    assert sum(p.samples for p in split.values()) <= budget


@pytest.mark.parametrize("allocator", ALLOCATORS, ids=lambda a: a.name)
@given(histories=histories_of_skills())
def test_no_allocator_looks_at_the_order_of_skills(allocator: Allocator, histories: list[History]) -> None:
    assert allocator.split(histories, 1000, replay=200, skills=9) == allocator.split(
        histories[::-1], 1000, replay=200, skills=9
    )


def test_a_coin_called_right_half_the_time_is_not_learnable() -> None:
    half = history("half", 50, 50, chance=0.0)
    coin = history("coin", 50, 50, chance=0.5)
    split = Learnability(cap=1.0).split([half, coin], 1000, replay=500, skills=3)
    assert split["half"].samples > 1.5 * split["coin"].samples


@given(histories=histories_of_skills(), budget=st.integers(100, 5000), replay=st.integers(0, 2000))
def test_what_is_not_above_luck_gets_at_most_an_even_share_of_what_is_spent(
    histories: list[History], budget: int, replay: int
) -> None:
    skills = len(histories) + 2
    split = Learnability().split(histories, budget, replay=replay, skills=skills)
    spent = replay + sum(p.samples for p in split.values())
    floor = int(Learnability().floor * budget / len(histories))
    assert all(split[h.skill].samples <= max(floor, spent / skills) for h in histories if not h.answers)


def test_abandoned_and_mastered_skills_keep_the_floor_only() -> None:
    rows = [history("done", 100, mastered=True), history("noise", 50, abandoned=True), history("weak", 40)]
    split = Learnability(floor=0.3).split(rows, 1000, replay=500, skills=5)
    assert split["done"].samples == split["noise"].samples == 100


def test_progress_and_forgetting_both_attract_the_budget() -> None:
    still, rising, falling = history("still", 40, 40), history("rising", 5, 40), history("falling", 80, 40)
    split = Learnability(cap=1.0).split([still, rising, falling], 900, replay=100, skills=5)
    assert split["rising"].samples > split["still"].samples < split["falling"].samples
