import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolvent.agents.allocator import Allocator, History
from evolvent.agents.allocators.failure import Failure
from evolvent.agents.allocators.learnability import Learnability
from evolvent.agents.allocators.pool import Pool
from evolvent.agents.allocators.progress import Progress
from evolvent.agents.allocators.skillit import Skillit, estimate
from evolvent.agents.allocators.thompson import Thompson
from evolvent.agents.allocators.ucb import Ucb
from evolvent.agents.parts import Parts
from evolvent.agents.weighing import Weighing, fill
from evolvent.memory.errors import PartError
from evolvent.memory.parts import PartSpec, known, load

from .desks import make_scenario

PACKAGE = "evolvent.agents.allocators"
BASELINES = ("pool", "uniform")
"""They look at nothing a student shows, and give up on nothing."""
ALLOCATORS = [load(PartSpec(name=name), base=Allocator, package=PACKAGE, where="test") for name in known(PACKAGE)]


def history(
    skill: str, *passed: int, chance: float = 0.0, taught: int | tuple[int, ...] = 100, mastered: bool = False,
    abandoned: bool = False, share: float = 1.0,
) -> History:  # fmt: skip
    rounds = len(passed)
    return History(
        skill,
        passed,
        (100,) * rounds,
        (chance,) * rounds,
        taught if isinstance(taught, tuple) else (taught,) * (rounds - 1),
        promoted=tuple(range(1, rounds)),
        mastered=mastered,
        abandoned=abandoned,
        share=share,
    )


@st.composite
def histories_of_skills(draw: st.DrawFn) -> list[History]:
    rounds = draw(st.integers(1, 5))
    return [
        history(
            f"skill-{i}",
            *draw(st.lists(st.integers(0, 100), min_size=rounds, max_size=rounds)),
            taught=tuple(draw(st.lists(st.integers(0, 300), min_size=rounds - 1, max_size=rounds - 1))),
            share=draw(st.floats(0, 1e6)),
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


@pytest.mark.parametrize("allocator", ALLOCATORS, ids=lambda a: a.name)
@given(histories=histories_of_skills(), budget=st.integers(0, 5000))
def test_an_allocator_is_a_function_of_what_it_is_shown(
    allocator: Allocator, histories: list[History], budget: int
) -> None:
    first, second = (allocator.split(histories, budget, replay=0, skills=9) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("allocator", [a for a in ALLOCATORS if a.name not in BASELINES], ids=lambda a: a.name)
@given(histories=histories_of_skills(), budget=st.integers(0, 5000))
def test_floor_cap_and_giving_up_hold_in_every_allocator_that_looks_at_the_student(
    allocator: Allocator, histories: list[History], budget: int
) -> None:
    assert isinstance(allocator, Weighing | Learnability)
    split = allocator.split(histories, budget, replay=budget // 4, skills=len(histories) + 2)
    least, most = int(allocator.floor * budget / len(histories)), int(allocator.cap * budget)
    assert all(least <= p.samples <= max(least, most) for p in split.values())
    assert all(split[h.skill].samples == least for h in histories if h.abandoned or h.mastered)


@pytest.mark.parametrize("allocator", [a for a in ALLOCATORS if isinstance(a, Weighing)], ids=lambda a: a.name)
def test_what_the_caps_leave_room_for_is_spent(allocator: Allocator) -> None:
    rows = [history("a", 10, 40), history("b", 30, 35), history("c", 60, 80), history("d", 50, 20)]
    assert sum(p.samples for p in allocator.split(rows, 1000, replay=0, skills=4).values()) >= 990


@given(
    weights=st.lists(st.floats(0, 1e3), min_size=1, max_size=8), budget=st.integers(0, 3000), each=st.integers(0, 900)
)
def test_filling_is_what_pouring_one_sample_at_a_time_gives(weights: list[float], budget: int, each: int) -> None:
    names = {f"s{i}": w for i, w in enumerate(weights)}
    given_ = fill(names, dict.fromkeys(names, each), budget)
    poured = dict.fromkeys(names, 0)
    for _ in range(budget):
        open_ = [s for s, w in names.items() if w > 0 and poured[s] < each]
        if not open_:
            break
        poured[min(open_, key=lambda s: ((poured[s] + 1) / names[s], s))] += 1
    # whole samples are rounded down where water is not
    assert all(abs(given_[s] - poured[s]) <= len(names) for s in names)


def test_the_pool_gives_every_skill_what_an_even_draw_of_all_tasks_would() -> None:
    rows = [history("many", 90, share=600.0), history("few", 0, share=100.0), history("coin", 0, share=300.0)]
    split = Pool().split(rows, 1001, replay=0, skills=3)
    assert {skill: p.samples for skill, p in split.items()} == {"many": 601, "few": 100, "coin": 300}


def test_failure_pays_noise_until_it_is_given_up() -> None:
    rows = [history("weak", 60), history("noise", 0)]
    assert Failure(cap=1).split(rows, 1000, replay=0, skills=2)["noise"].samples > 600
    given_up = [history("weak", 60), history("noise", 0, abandoned=True)]
    assert Failure(cap=1).split(given_up, 1000, replay=0, skills=2)["noise"].samples == 75


def test_progress_follows_a_change_in_either_direction_and_forgets_it_by_and_by() -> None:
    rows = [history("still", 40, 40, 40), history("fell", 80, 80, 60), history("rose-before", 0, 40, 40)]
    weights = Progress(memory=0.5).weigh(rows)
    assert weights == pytest.approx({"still": 0.0, "fell": 0.1, "rose-before": 0.1})


def test_progress_splits_evenly_before_anything_has_moved() -> None:
    assert Progress().weigh([history("a", 40), history("b", 0)]) == {"a": 1.0, "b": 1.0}


def test_ucb_tries_again_what_it_was_not_paid_for_only_while_it_is_hardly_known() -> None:
    rows = [history("known", 40, 40, 40, taught=(190, 190)), history("new", 40, 40, 40, taught=(10, 10))]
    weights = Ucb().weigh(rows)
    assert weights["new"] > 1.5 * weights["known"]
    # n = 1 + 2·2·0.95 and 1 + 2·2·0.05, N their sum
    assert weights["known"] == pytest.approx(0.3 * (math.log(7) / 4.8) ** 0.5)


def test_thompson_weighs_by_the_chance_to_be_moving_most() -> None:
    rows = [history("moved", 20, 80), history("still", 50, 50), history("noise", 0, 0)]
    weights = Thompson().weigh(rows)
    assert weights["moved"] > 0.99
    unsure = Thompson().weigh([history("a", 50, 50), history("b", 50, 50), history("noise", 0, 0)])
    assert unsure["a"] == pytest.approx(unsure["b"], abs=0.05)
    assert unsure["noise"] < 0.05


def test_skillit_teaches_what_the_failing_skill_needs() -> None:
    rows = [history("parts", 90), history("whole", 10), history("other", 90)]
    given_ = Skillit(graph={"parts": {"whole": 0.5}}, eta=1.0).weigh(rows)
    losses = {"parts": 0.1 + 0.5 * 0.9, "whole": 0.9, "other": 0.1}
    assert {s: w / given_["whole"] for s, w in given_.items()} == pytest.approx(
        {s: math.exp(x - 0.9) for s, x in losses.items()}
    )
    assert given_["parts"] > given_["other"]


def test_skillit_finds_in_its_own_rounds_which_skill_another_one_needs() -> None:
    # "whole" rises by as much as "parts" was given, and nothing else follows from anything
    rows = [
        history("other", 50, 50, 50, 50, 50, taught=(200, 20, 180, 40)),
        history("parts", 50, 50, 50, 50, 50, taught=(20, 200, 40, 180)),
        history("whole", 10, 12, 32, 36, 54, taught=(100, 100, 100, 100)),
    ]
    edges = estimate(rows, most=0.5)
    assert edges[1, 2] == pytest.approx(0.5)
    assert edges[0, 2] == 0.0
    assert estimate([history("a", 10, 50), history("b", 10, 50)], most=0.5).max() == 0.0


def test_a_graph_of_unknown_skills_is_refused_with_a_way_out() -> None:
    with pytest.raises(PartError, match=r"names 'carri', which is no target skill.*did you mean 'carry'"):
        Skillit(graph={"carri": {"add": 1.0}}).split([history("carry", 1), history("add", 1)], 9, replay=0, skills=2)


def test_a_graph_of_unknown_skills_is_found_before_a_session_begins() -> None:
    scenario = make_scenario(allocator={"name": "skillit", "graph": {"nothing": {}}})
    with pytest.raises(PartError, match=r"small.toml: allocator 'skillit': graph names 'nothing', which is no target"):
        Parts.resolve(scenario, "small.toml")
