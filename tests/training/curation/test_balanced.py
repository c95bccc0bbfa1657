"""Quotas hold whatever the scores prefer."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolvent.training.curation.pool import Pool, Row
from evolvent.training.curation.quota import fill
from evolvent.training.curation.selectors.balanced import Balanced
from evolvent.training.curation.shape import form

sizes = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 4)), min_size=1, max_size=8)


def make_skewed() -> Pool:
    """Eighty of one skill and twenty of another; long answers have the higher scores."""
    rows = [
        Row(f"s{i:03}", f"question {i}", "7 " * (1 + 19 * (i % 2)), "rare" if i >= 80 else "common") for i in range(100)
    ]
    return Pool(tuple(rows))


def lengths(pool: Pool) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([len(answer) for answer in pool.answers], dtype=np.float64)


@given(sizes, st.integers(0, 120))
def test_a_budget_is_spent_whole_where_there_is_enough_and_nobody_gets_more_than_it_has(
    groups: list[tuple[int, int]], budget: int
) -> None:
    sizes_G, weights_G = (np.array(column) for column in zip(*groups, strict=True))
    given_G = fill(sizes_G, weights_G.astype(np.float64), budget)
    assert (given_G <= sizes_G).all()
    assert given_G[weights_G == 0].sum() == 0
    assert given_G.sum() == min(budget, sizes_G[weights_G > 0].sum())


@given(sizes, st.integers(0, 120))
def test_parts_are_those_of_water_that_rises_in_all_groups_until_it_is_used_up(
    groups: list[tuple[int, int]], budget: int
) -> None:
    sizes_G, weights_G = (np.array(column) for column in zip(*groups, strict=True))
    low, high = 0.0, 1000.0
    for _ in range(80):
        level = (low + high) / 2
        low, high = (level, high) if np.minimum(sizes_G, weights_G * level).sum() < budget else (low, level)
    wanted_G = np.minimum(sizes_G, weights_G * high)
    assert (np.abs(fill(sizes_G, weights_G.astype(np.float64), budget) - wanted_G) < 1 + 1e-6).all()


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, {"common": 20, "rare": 20}),
        ({"skew": 1.0}, {"common": 32, "rare": 8}),
        ({"weights": {"rare": 0.5}}, {"common": 27, "rare": 13}),
        ({"weights": {"rare": 0.0}}, {"common": 40}),
    ],
)
def test_skills_get_their_quota(settings: dict[str, object], wanted: dict[str, int]) -> None:
    pool = make_skewed()
    chosen = Balanced.model_validate(settings).select(pool, lengths(pool), 40, seed=0)
    assert Counter(pool.skills[i] for i in chosen) == wanted


def test_scores_that_like_long_answers_do_not_lengthen_the_set() -> None:
    pool = make_skewed()
    chosen = Balanced().select(pool, lengths(pool), 40, seed=0)
    assert Counter(len(pool.answers[i]) for i in chosen) == {2: 20, 40: 20}


def test_within_a_quota_the_best_are_chosen_and_come_first() -> None:
    pool = Pool(tuple(Row(f"s{i}", "q", "7", "skill") for i in range(9)))
    scores_S = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5], dtype=np.float64)
    assert Balanced().select(pool, scores_S, 4, seed=0).tolist() == [5, 7, 4, 8]


def test_a_weight_that_is_no_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="the weight of 'rare' is -1"):
        Balanced(weights={"rare": -1.0})


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ("1,250.5", "number"), ("yes", "word"), ("it is so", "line"), ("- a\n- b", "list"), ("one\ntwo", "text"),
        ("```py\nx\n```", "code"), ('{"a": [1]}', "json"), ("[not json", "line"), ("", "word"),
    ],
)  # fmt: skip
def test_answers_have_a_form(answer: str, wanted: str) -> None:
    assert form(answer) == wanted
