"""Every selector keeps to the budget, by the seed alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolvent.memory.parts import PartSpec, known, load
from evolvent.training.curation.pool import Pool
from evolvent.training.curation.selector import Selector

from .pools import SHAPES, make_pool, shuffled

PACKAGE = "evolvent.training.curation.selectors"
every_selector = pytest.mark.parametrize("name", known(PACKAGE))
every_shape = pytest.mark.parametrize("pool", SHAPES.values(), ids=SHAPES)


def make(name: str) -> Selector:
    return load(PartSpec(name=name), base=Selector, package=PACKAGE, where="test")


def scores_of(pool: Pool) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Scores that go with the sample, wherever it stands."""
    return np.array([int(row.id[1:]) * 7919 % 101 / 101 for row in pool.rows], dtype=np.float64)


@every_selector
@every_shape
@pytest.mark.parametrize("budget", [0, 1, 10, 1000])
def test_no_more_than_the_budget_is_chosen_and_nothing_twice(name: str, pool: Pool, budget: int) -> None:
    chosen = make(name).select(pool, scores_of(pool), budget, seed=3)
    assert len(chosen) <= min(budget, len(pool))
    assert len(set(chosen.tolist())) == len(chosen)
    assert all(0 <= i < len(pool) for i in chosen)


@every_selector
def test_the_same_seed_chooses_the_same_samples_whatever_their_order(name: str) -> None:
    pool = make_pool(60)
    other, _ = shuffled(pool)
    chosen, again = (make(name).select(p, scores_of(p), 20, seed=5) for p in (pool, other))
    assert {pool.ids[i] for i in chosen} == {other.ids[i] for i in again}
    assert len(chosen) > 0


@every_selector
@given(
    st.lists(st.floats(-1e12, 1e12) | st.sampled_from([0.0, 1.0]), max_size=30), st.integers(0, 40), st.integers(0, 9)
)
@settings(max_examples=25, deadline=None)
def test_any_scores_are_chosen_by_within_the_budget_and_the_same_again(
    name: str, scores: list[float], budget: int, seed: int
) -> None:
    pool, scores_S = make_pool(len(scores), seed=seed), np.array(scores, dtype=np.float64)
    chosen = make(name).select(pool, scores_S, budget, seed=seed).tolist()
    assert len(chosen) <= min(budget, len(pool))
    assert set(chosen) <= set(range(len(pool)))
    assert len(set(chosen)) == len(chosen)
    assert make(name).select(pool, scores_S, budget, seed=seed).tolist() == chosen
