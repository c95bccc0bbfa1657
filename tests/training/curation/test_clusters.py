"""k-means by matrix products is k-means."""

import numpy as np

from evolvent.training.curation.clusters import assign, cluster


def groups(*, each: int = 30) -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = np.array([[0.0, 0], [10, 0], [0, 10], [10, 10]])
    return np.concatenate([c + rng.normal(size=(each, 2)) for c in centres]).astype(np.float32)


def test_groups_that_lie_apart_are_found() -> None:
    found = cluster(groups(), 4, seed=1)
    assert all(len(set(found.of_S[at : at + 30].tolist())) == 1 for at in range(0, 120, 30))
    assert len(set(found.of_S.tolist())) == 4


def test_every_vector_is_with_its_nearest_centre_and_every_centre_is_the_mean_of_its_own() -> None:
    vectors_SD = np.random.default_rng(3).normal(size=(200, 5)).astype(np.float32)
    found = cluster(vectors_SD, 6, seed=1)
    far_SK = ((vectors_SD[:, None] - found.centres_KD[None]) ** 2).sum(2)
    np.testing.assert_array_equal(found.of_S, far_SK.argmin(1))
    np.testing.assert_array_equal(assign(vectors_SD, found.centres_KD), far_SK.argmin(1))
    means = [vectors_SD[found.of_S == k].mean(0) for k in range(len(found.centres_KD))]
    np.testing.assert_allclose(found.centres_KD, means, atol=1e-5)


def test_the_nearest_members_are_those_a_search_finds() -> None:
    vectors_SD = groups()
    found = cluster(vectors_SD, 4, seed=1)
    near = found.nearest(vectors_SD, 3)
    for k in range(4):
        own = np.flatnonzero(found.of_S == k)
        far = ((vectors_SD[own] - found.centres_KD[k]) ** 2).sum(1)
        assert near[3 * k : 3 * k + 3].tolist() == own[np.argsort(far)[:3]].tolist()


def test_equal_vectors_are_one_cluster() -> None:
    found = cluster(np.ones((9, 3), np.float32), 4, seed=1)
    assert found.of_S.tolist() == [0] * 9
    assert found.nearest(np.ones((9, 3), np.float32), 2).tolist() == [0, 1]
