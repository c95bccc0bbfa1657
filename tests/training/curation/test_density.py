"""Densities from a sketch, against adding up the kernel over all pairs."""

import numpy as np
import pytest
from numpy.typing import NDArray

from evolvent.memory.embedder import Vectors
from evolvent.training.curation.pool import Context, Pool, Row
from evolvent.training.curation.scorers.density import Density
from evolvent.training.curation.sketch import HALF, POWER, SKETCHES, Form, Kind, Sketch, bandwidth

from .pools import make_pool, score

kinds = pytest.mark.parametrize("kind", SKETCHES)
Distances = NDArray[np.float64]
FORM = Form(dimensions=48, bandwidth=0.4, projections=4096, seed=3)


def make_vectors(count: int, *, seed: int = 0) -> Vectors:
    """Eight clusters, each half the size of the one before, of length 1."""
    rng = np.random.default_rng(seed)
    owner = np.minimum(rng.geometric(0.5, count) - 1, 7)
    made = np.random.default_rng(99).normal(size=(8, 48))[owner] + 0.35 * rng.normal(size=(count, 48))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def distances(ones: Vectors, others: Vectors) -> Distances:
    return np.linalg.norm(ones[:, None].astype(np.float64) - others[None].astype(np.float64), axis=2)


def collide(apart: Distances) -> Distances:
    """Chance that all functions of a row put two vectors into one cell: an integral, worked out point by point."""
    width = HALF * FORM.bandwidth
    grid = (np.arange(400) + 0.5) / 400 * width
    scale = np.maximum(apart, 1e-9)[..., None]
    normal = np.sqrt(2 / np.pi) / scale * np.exp(-((grid / scale) ** 2) / 2)
    return np.where(apart < 1e-9, 1.0, ((normal * (1 - grid / width)).mean(axis=-1) * width).clip(0, 1) ** POWER)


def exact(kind: Kind, vectors_SD: Vectors) -> NDArray[np.float64]:
    apart = distances(vectors_SD, vectors_SD)
    kernel = np.exp(-((apart / FORM.bandwidth) ** 2) / 2) if kind == "waves" else collide(apart)
    return kernel.mean(axis=1)


def fill(kind: Kind, vectors_SD: Vectors, form: Form = FORM) -> Sketch:
    return SKETCHES[kind](form).added(vectors_SD)


def ranks(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.argsort(np.argsort(values))


@kinds
def test_a_sketch_gives_the_density_of_all_pairs(kind: Kind) -> None:
    vectors_SD = make_vectors(200)
    wanted, found = exact(kind, vectors_SD), fill(kind, vectors_SD).density(vectors_SD)
    assert np.corrcoef(ranks(wanted), ranks(found))[0, 1] > 0.95
    assert np.median(np.abs(found - wanted) / wanted) < 0.08


@kinds
def test_more_projections_leave_less_error(kind: Kind) -> None:
    vectors_SD = make_vectors(200)
    wanted = exact(kind, vectors_SD)
    errors = [
        np.sqrt(np.mean((fill(kind, vectors_SD, FORM._replace(projections=many)).density(vectors_SD) - wanted) ** 2))
        for many in (128, 4096)
    ]
    assert errors[1] < errors[0] / 2.5


@kinds
def test_sketches_of_parts_add_up_to_the_sketch_of_all(kind: Kind) -> None:
    vectors_SD = make_vectors(300)
    whole = fill(kind, vectors_SD)
    parts = [fill(kind, part) for part in (vectors_SD[:7], vectors_SD[7:200], vectors_SD[200:])]
    merged = parts[2].merged(parts[0]).merged(parts[1])
    np.testing.assert_allclose(merged.sums, whole.sums, atol=1e-3)
    np.testing.assert_allclose(merged.density(vectors_SD), whole.density(vectors_SD), rtol=1e-4)
    np.testing.assert_allclose(fill(kind, vectors_SD[:50]).added(vectors_SD[50:]).sums, whole.sums, atol=1e-3)
    assert merged.count == 300


def test_sketches_of_different_forms_are_not_added() -> None:
    one, other = (fill("waves", make_vectors(5), FORM._replace(bandwidth=width)) for width in (0.4, 0.5))
    with pytest.raises(ValueError, match=r"bandwidth=0.5.* cannot be added to one of .*bandwidth=0.4"):
        one.merged(other)


@kinds
def test_both_kernels_are_of_the_same_width(kind: Kind) -> None:
    near = np.zeros((2, 48), dtype=np.float32)
    near[1, 0] = FORM.bandwidth
    density = fill(kind, near[:1], FORM._replace(projections=16_384)).density(near)
    np.testing.assert_allclose(density, [1.0, np.exp(-0.5)], atol=0.03)


@pytest.mark.parametrize(("kind", "least", "most"), [("waves", 0.45, 0.55), ("hashes", 0.15, 0.4)])
def test_drawing_by_scores_evens_out_what_a_tenth_is_about(kind: Kind, least: float, most: float) -> None:
    rng = np.random.default_rng(1)
    common, rare = rng.normal(size=(2, 48))
    made = np.concatenate([common + 0.2 * rng.normal(size=(900, 48)), rare + 0.2 * rng.normal(size=(100, 48))])
    vectors = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
    rows = tuple(Row(f"{i:04}", str(i), "") for i in range(1000))
    pool = Pool(rows, lambda texts: vectors[[int(text) for text in texts]])
    weight_S = np.exp(score(Density(sketch=kind, bandwidth=0.4), pool))
    share = weight_S[900:].sum() / weight_S.sum()
    assert least < share < most


def test_the_bandwidth_follows_the_distances_and_is_sane_without_any() -> None:
    vectors_SD = make_vectors(400)
    apart = distances(vectors_SD, vectors_SD)[np.triu_indices(400, 1)]
    assert bandwidth(vectors_SD, seed=0) == pytest.approx(np.quantile(apart, 0.05) / 2, rel=1e-3)
    assert bandwidth(np.repeat(vectors_SD[:1], 9, axis=0), seed=0) == bandwidth(vectors_SD[:1], seed=0) == 1.0


def test_what_is_known_already_counts_when_asked_for() -> None:
    pool = make_pool(60)
    known = Context(known=pool.take(range(30)))
    rarer_S = score(Density(known=True), pool, known) - score(Density(), pool, known)
    assert rarer_S[30:].mean() > rarer_S[:30].mean()
    np.testing.assert_array_equal(score(Density(), pool, known), score(Density(), pool))
