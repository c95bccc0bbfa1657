"""Samples that stand for clusters."""

import numpy as np

from evolvent.memory.embedder import Vectors
from evolvent.training.curation.clusters import k_means
from evolvent.training.curation.proxies import far_apart, nearest


def groups(*, each: int = 30) -> Vectors:
    """Unit vectors around four directions."""
    rng = np.random.default_rng(0)
    made = np.repeat(np.eye(4), each, axis=0) + 0.1 * rng.normal(size=(4 * each, 4))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def test_centres_that_start_far_apart_find_groups_that_others_leave_together() -> None:
    vectors_SD = groups()

    def found(start_CD: Vectors | None, seed: int) -> bool:
        of_S = k_means(vectors_SD, 4, seed=seed, start_CD=start_CD).of_S
        return all(len(set(own.tolist())) == 1 for own in np.split(of_S, 4)) and len(set(of_S.tolist())) == 4

    apart = sum(found(far_apart(vectors_SD, 4, seed=seed), seed) for seed in range(20))
    anyhow = sum(found(None, seed) for seed in range(20))
    assert apart >= 15 > anyhow


def test_the_nearest_members_are_those_a_search_finds() -> None:
    vectors_SD = groups()
    found = k_means(vectors_SD, 0, seed=1, start_CD=far_apart(vectors_SD, 4, seed=1))
    near = nearest(found, 3)
    for k in range(4):
        own = np.flatnonzero(found.of_S == k)
        wanted = own[np.argsort(-(vectors_SD[own] @ found.centres_CD[k]), kind="stable")[:3]]
        assert near[3 * k : 3 * k + 3].tolist() == wanted.tolist()


def test_of_equal_vectors_one_is_drawn() -> None:
    vectors_SD = np.tile(np.array([0.6, 0.8], np.float32), (9, 1))
    assert len(far_apart(vectors_SD, 4, seed=1)) == 1
    assert nearest(k_means(vectors_SD, 0, seed=1, start_CD=far_apart(vectors_SD, 4, seed=1)), 2).tolist() == [0, 1]
