"""Every orderer trains on everything once a pass."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolvent.memory.parts import PartSpec, known, load
from evolvent.training.curation.orderer import Orderer
from evolvent.training.curation.orderers.folding import Folding
from evolvent.training.curation.orderers.interleave import Interleave
from evolvent.training.curation.orderers.sorted import Sorted
from evolvent.training.curation.pool import Pool, Row

from .pools import SHAPES, make_pool, shuffled

PACKAGE = "evolvent.training.curation.orderers"


def make(name: str) -> Orderer:
    return load(PartSpec(name=name), base=Orderer, package=PACKAGE, where="test")


@pytest.mark.parametrize("name", known(PACKAGE))
@pytest.mark.parametrize("pool", SHAPES.values(), ids=SHAPES)
def test_every_sample_is_there_once(name: str, pool: Pool) -> None:
    order = make(name).order(pool, np.arange(len(pool), dtype=np.float64), seed=1)
    assert sorted(order.tolist()) == list(range(len(pool)))


@pytest.mark.parametrize("name", known(PACKAGE))
def test_the_seed_alone_decides(name: str) -> None:
    pool, scores_S = make_pool(30), np.arange(30, dtype=np.float64)
    assert make(name).order(pool, scores_S, seed=4).tolist() == make(name).order(pool, scores_S, seed=4).tolist()


@pytest.mark.parametrize("name", known(PACKAGE))
def test_the_order_is_of_the_samples_whatever_place_they_came_in(name: str) -> None:
    if not make(name).kept:
        return
    pool = make_pool(30)
    other, _ = shuffled(pool)
    orders = [
        [p.ids[i] for i in make(name).order(p, np.array([int(id[1:]) % 7 for id in p.ids], dtype=np.float64), seed=4)]
        for p in (pool, other)
    ]
    assert orders[0] == orders[1]


scores = st.lists(st.integers(-5, 5), max_size=60).map(lambda values: np.array(values, dtype=np.float64))


@given(scores, st.integers(1, 6))
def test_a_folded_set_is_a_permutation_of_as_many_ascending_passes_as_it_has_layers(
    scores_S: np.ndarray[tuple[int], np.dtype[np.float64]], layers: int
) -> None:
    order = Folding(layers=layers).order(make_pool(len(scores_S)), scores_S, seed=0)
    assert sorted(order.tolist()) == list(range(len(scores_S)))
    lengths = [len(range(start, len(scores_S), layers)) for start in range(layers)]
    for layer in np.split(scores_S[order], np.cumsum(lengths)[:-1]):
        assert (np.diff(layer) >= 0).all()


@given(scores, st.integers(1, 6))
def test_folding_is_what_its_paper_says_in_ten_lines(
    scores_S: np.ndarray[tuple[int], np.dtype[np.float64]], layers: int
) -> None:
    pool = make_pool(len(scores_S))
    ascending = sorted(range(len(pool)), key=lambda i: (scores_S[i], pool.ids[i]))
    wanted = [ascending[place] for layer in range(layers) for place in range(len(pool)) if place % layers == layer]
    assert Folding(layers=layers).order(pool, scores_S, seed=0).tolist() == wanted


@given(scores)
def test_a_sorted_set_is_a_folded_one_of_one_layer_and_descends_where_it_is_told_to(
    scores_S: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> None:
    pool = make_pool(len(scores_S))
    order = Sorted().order(pool, scores_S, seed=0)
    assert order.tolist() == Folding(layers=1).order(pool, scores_S, seed=0).tolist()
    assert (np.diff(scores_S[Sorted(descending=True).order(pool, scores_S, seed=0)]) <= 0).all()


@given(st.lists(st.sampled_from("abc"), max_size=60), st.integers(0, 5))
def test_every_stretch_of_an_interleaved_set_holds_every_skill_in_its_share(skills: list[str], seed: int) -> None:
    pool = Pool(tuple(Row(f"s{i}", f"q{i}", "a", skill) for i, skill in enumerate(skills)))
    order = Interleave().order(pool, np.zeros(len(pool)), seed=seed)
    assert sorted(order.tolist()) == list(range(len(pool)))
    whole = Counter(skills)
    for length in range(1, len(skills) + 1):
        held = Counter(skills[i] for i in order[:length])
        assert all(abs(held[skill] - length * count / len(skills)) <= len(whole) for skill, count in whole.items())


def test_skills_of_one_size_take_turns() -> None:
    pool = make_pool(9)
    told = [pool.skills[i] for i in Interleave().order(pool, np.zeros(9), seed=2)]
    assert told == ["skill-0", "skill-1", "skill-2"] * 3
