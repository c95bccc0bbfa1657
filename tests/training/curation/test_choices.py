"""Selectors choose what the plain loop chooses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from evolvent.memory.embedder import Vectors
from evolvent.training.curation.clusters import k_means
from evolvent.training.curation.grouping import grouped
from evolvent.training.curation.neighbours import nearest
from evolvent.training.curation.pool import Pool, Row, Scores
from evolvent.training.curation.sampling import draw, ranks, standard
from evolvent.training.curation.selector import Selector
from evolvent.training.curation.selectors.diverse import Diverse
from evolvent.training.curation.selectors.dpp import Dpp
from evolvent.training.curation.selectors.facility import Facility
from evolvent.training.curation.selectors.herding import Herding
from evolvent.training.curation.selectors.inverse_propensity import InversePropensity
from evolvent.training.curation.selectors.k_center import KCenter
from evolvent.training.curation.selectors.semantic import Semantic
from evolvent.training.curation.selectors.submodular import Submodular
from evolvent.training.curation.selectors.tempered import Tempered
from evolvent.training.curation.selectors.threshold import Threshold
from evolvent.training.curation.selectors.weighted_clusters import WeightedClusters
from evolvent.training.curation.selectors.whole_clusters import WholeClusters

NO_SCORES = np.zeros(0)


def pool_of(vectors_SD: Vectors) -> Pool:
    """Samples of these vectors, their ids in the order of the rows."""
    pool = Pool(tuple(Row(f"s{i:05d}", "q", "a") for i in range(len(vectors_SD))))
    vars(pool)["vectors_SD"] = vectors_SD
    return pool


def directions(count: int, *, groups: int = 12, dimensions: int = 16, seed: int = 0) -> Vectors:
    """Vectors in clusters, of length 1."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((groups, dimensions))
    rows = centres[rng.integers(groups, size=count)] + 0.4 * rng.standard_normal((count, dimensions))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def scores_for(count: int, *, seed: int = 1) -> Scores:
    return np.random.default_rng(seed).standard_normal(count)


def covered(vectors_SD: Vectors, chosen: NDArray[np.int64] | list[int]) -> float:
    """Mean cosine to the nearest that is chosen, none counted below 0."""
    return float(np.maximum((vectors_SD @ vectors_SD[chosen].T).max(axis=1), 0).mean())


@pytest.mark.parametrize("seed", range(3))
def test_k_center_takes_the_farthest_each_time(seed: int) -> None:
    vectors_SD = directions(200, seed=seed)
    chosen = KCenter().select(pool_of(vectors_SD), NO_SCORES, 60, seed=seed).tolist()
    for step in range(1, 60):
        distances = 1 - (vectors_SD @ vectors_SD[chosen[:step]].T).max(axis=1)
        assert distances[chosen[step]] >= distances.max() - 1e-6


def test_k_center_on_more_than_a_handful_is_the_plain_loop() -> None:
    vectors_SD = directions(6000, groups=300, dimensions=32)
    chosen = KCenter().select(pool_of(vectors_SD), NO_SCORES, 150, seed=2).tolist()
    distances, plain = np.full(6000, np.inf), [chosen[0]]
    for _ in range(149):
        distances = np.minimum(distances, 1 - vectors_SD @ vectors_SD[plain[-1]])
        plain.append(int(distances.argmax()))
    assert chosen == plain


@pytest.mark.parametrize("seed", range(3))
def test_a_dpp_takes_what_raises_the_determinant_most(seed: int) -> None:
    vectors_SD, scores_S = directions(80, dimensions=8, seed=seed), scores_for(80, seed=seed)
    chosen = Dpp(weight=0.7, ridge=0.2).select(pool_of(vectors_SD), scores_S, 20, seed=0).tolist()
    quality_S = np.exp(0.7 * standard(scores_S) / 2)
    kernel_SS = np.outer(quality_S, quality_S) * (vectors_SD.astype(np.float64) @ vectors_SD.T + 0.2 * np.eye(80))
    taken: list[int] = []
    for _ in range(20):
        values = [
            -np.inf if i in taken else np.linalg.slogdet(kernel_SS[np.ix_([*taken, i], [*taken, i])])[1]
            for i in range(80)
        ]
        taken.append(int(np.argmax(values)))
    assert chosen == taken


@pytest.mark.parametrize("seed", range(3))
def test_facility_location_covers_as_well_as_the_plain_greedy_loop(seed: int) -> None:
    vectors_SD = directions(200, groups=40, seed=seed)
    chosen = Facility().select(pool_of(vectors_SD), NO_SCORES, 25, seed=0)
    assert covered(vectors_SD, chosen) >= 0.995 * covered(vectors_SD, plain_coverage(vectors_SD, 25, np.zeros(200)))


def plain_coverage(vectors_SD: Vectors, budget: int, extra_S: Scores) -> list[int]:
    """Choose by the mean coverage that each would add, and what it adds beside."""
    cosines_SS = vectors_SD @ vectors_SD.T
    covered_S, taken = np.zeros(len(vectors_SD), dtype=np.float32), list[int]()
    for _ in range(budget):
        gains_S = np.maximum(cosines_SS - covered_S, 0).mean(axis=1, dtype=np.float64) + extra_S
        gains_S[taken] = -np.inf
        taken.append(int(gains_S.argmax()))
        covered_S = np.maximum(covered_S, cosines_SS[taken[-1]])
    return taken


def test_facility_location_by_links_covers_as_well_as_by_all_pairs() -> None:
    vectors_SD = directions(2500, groups=100, dimensions=32)
    chosen = Facility().select(pool_of(vectors_SD), NO_SCORES, 60, seed=0)
    assert covered(vectors_SD, chosen) >= 0.99 * covered(vectors_SD, plain_coverage(vectors_SD, 60, np.zeros(2500)))


def test_a_submodular_mix_is_the_plain_greedy_loop_and_moves_from_coverage_to_score() -> None:
    vectors_SD, scores_S = directions(150), scores_for(150)
    pool = pool_of(vectors_SD)
    chosen = Submodular(weight=0.3).select(pool, scores_S, 20, seed=0).tolist()
    plain = plain_coverage(vectors_SD, 20, ranks(scores_S) / 20 * 0.3 / 0.7)
    assert len(set(chosen) & set(plain)) >= 19
    picks = [Submodular(weight=weight).select(pool, scores_S, 20, seed=0) for weight in (0.0, 0.3, 0.99)]
    assert picks[0].tolist() == Facility().select(pool, NO_SCORES, 20, seed=0).tolist()
    assert scores_S[picks[0]].mean() < scores_S[picks[1]].mean() < scores_S[picks[2]].mean()
    assert covered(vectors_SD, picks[0]) > covered(vectors_SD, picks[1]) > covered(vectors_SD, picks[2])


@given(st.integers(0, 200), st.floats(0.3, 0.99))
@settings(max_examples=25, deadline=None)
def test_the_diverse_are_the_best_that_are_unlike_each_other(seed: int, alike: float) -> None:
    vectors_SD, scores_S = directions(120, seed=seed), scores_for(120, seed=seed)
    taken: list[int] = []
    for i in np.argsort(-scores_S, kind="stable").tolist():
        if not taken or float((vectors_SD[taken] @ vectors_SD[i]).max()) <= alike:
            taken.append(i)
    chosen = Diverse(alike=alike).select(pool_of(vectors_SD), scores_S, 1000, seed=0).tolist()
    assert chosen == taken
    assert Diverse(alike=alike).select(pool_of(vectors_SD), scores_S, 10, seed=0).tolist() == taken[:10]


def test_the_diverse_are_unlike_those_of_earlier_blocks_too() -> None:
    vectors_SD, scores_S = directions(1500, groups=600, dimensions=24), scores_for(1500)
    chosen = Diverse(alike=0.85).select(pool_of(vectors_SD), scores_S, 1500, seed=0)
    cosines = vectors_SD[chosen] @ vectors_SD[chosen].T - 2 * np.eye(len(chosen), dtype=np.float32)
    assert 100 < len(chosen) < 1500
    assert cosines.max() <= 0.85


def test_herding_is_the_plain_recursion_and_meets_the_mean_sooner_than_a_draw() -> None:
    vectors_SD = directions(200, groups=5)
    chosen = Herding().select(pool_of(vectors_SD), NO_SCORES, 40, seed=0).tolist()
    mean_D, weight_D, taken = vectors_SD.mean(axis=0), vectors_SD.mean(axis=0), list[int]()
    for _ in range(40):
        values_S = vectors_SD @ weight_D
        values_S[taken] = -np.inf
        taken.append(int(values_S.argmax()))
        weight_D = weight_D + mean_D - vectors_SD[taken[-1]]
    assert chosen == taken
    drawn = [np.random.default_rng(seed).permutation(200)[:40] for seed in range(20)]
    off = [float(np.linalg.norm(vectors_SD[some].mean(axis=0) - mean_D)) for some in (chosen, *drawn)]
    assert off[0] < 0.5 * min(off[1:])


def test_semantic_duplicates_are_left_out_and_the_most_redundant_come_last() -> None:
    vectors_SD = directions(60, groups=60, dimensions=32)
    vectors_SD = np.concatenate([vectors_SD, vectors_SD[:20]])
    selector = Semantic(members=1000)
    chosen = selector.select(pool_of(vectors_SD), NO_SCORES, 80, seed=0)
    assert len(chosen) == 60
    assert len({i % 60 for i in chosen.tolist()}) == 60
    centre = k_means(vectors_SD, 1, seed=0)
    order = np.argsort(centre.cosine_S, kind="stable").tolist()
    redundant = {
        i: max([float(vectors_SD[i] @ vectors_SD[j]) for j in order[:at]], default=-1) for at, i in enumerate(order)
    }
    values = [redundant[i] for i in chosen.tolist()]
    assert values == pytest.approx(sorted(values), abs=1e-5)


def test_whole_clusters_go_from_the_best_downwards() -> None:
    vectors_SD = directions(120, groups=4)
    clusters = k_means(vectors_SD, 4, seed=0)
    scores_S = scores_for(120) + 10 * (clusters.of_S == 2)
    chosen = WholeClusters(clusters=4).select(pool_of(vectors_SD), scores_S, 120, seed=0)
    best = np.flatnonzero(clusters.of_S == 2)
    assert set(chosen[: len(best)].tolist()) == set(best.tolist())
    means = [scores_S[clusters.of_S == c].mean() for c in range(4)]
    visited = list(dict.fromkeys(clusters.of_S[chosen].tolist()))
    assert visited == sorted(range(4), key=lambda c: -means[c])
    assert sorted(chosen.tolist()) == list(range(120))


def test_weighted_clusters_are_drawn_by_their_weight() -> None:
    pool, scores_S = pool_of(directions(200, groups=4)), scores_for(200)
    hits, expected = 0, 0.0
    for seed in range(300):
        groups = grouped(pool, scores_S, 4, seed=seed)
        chances_C = np.exp(0.8 * standard(groups.means_C))
        best = int(groups.means_C.argmax())
        expected += float(chances_C[best] / chances_C.sum())
        chosen = WeightedClusters(clusters=4, factor=0.8).select(pool, scores_S, 5, seed=seed)
        hits += int(groups.of_S[chosen[0]] == best)
    assert hits == pytest.approx(expected, abs=4 * (300 * 0.25) ** 0.5)
    assert expected > 110


def test_weighted_clusters_give_everything_in_the_end_however_unlikely() -> None:
    pool, scores_S = pool_of(directions(100)), scores_for(100)
    chosen = WeightedClusters(clusters=7, factor=500.0).select(pool, scores_S, 100, seed=0)
    groups = grouped(pool, scores_S, 7, seed=0)
    assert sorted(chosen.tolist()) == list(range(100))
    assert (np.diff(groups.means_C[groups.of_S[chosen]]) <= 0).all()


def test_draws_are_by_weight_and_without_replacement() -> None:
    pool, weights = pool_of(directions(4)), np.array([0.1, 0.2, 0.3, 0.4])
    orders = [draw(pool, np.log(weights), 4, seed=seed).tolist() for seed in range(2000)]
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)
    assert np.bincount([order[0] for order in orders]) / 2000 == pytest.approx(weights, abs=0.04)
    second = [order[1] for order in orders if order[0] == 3]
    assert np.bincount(second)[:3] / len(second) == pytest.approx(weights[:3] / 0.6, abs=0.07)


def test_inverse_propensity_evens_out_what_is_common() -> None:
    common_S = np.repeat([1.0, 100.0], [300, 300])
    picks = [
        InversePropensity().select(pool_of(directions(600)), -np.log(common_S), 30, seed=seed) for seed in range(20)
    ]
    assert np.mean(np.concatenate(picks) < 300) > 0.95


def test_a_low_temperature_takes_the_best_and_a_high_one_draws() -> None:
    pool, scores_S = pool_of(directions(200)), scores_for(200)
    best = set(np.argsort(-scores_S)[:20].tolist())
    shared = [
        len(best & set(Tempered(temperature=t).select(pool, scores_S, 20, seed=0).tolist())) for t in (1e-4, 0.5, 1e6)
    ]
    assert shared[0] == 20
    assert shared[0] > shared[1] > shared[2]


def test_a_threshold_keeps_to_its_band() -> None:
    pool, scores_S = pool_of(directions(100)), np.arange(99, -1, -1, dtype=np.float64)
    inside = Threshold(low=0.25, high=0.75).select(pool, scores_S, 100, seed=0)
    assert 24 <= scores_S[inside].min() <= 26
    assert 73 <= scores_S[inside].max() <= 75
    assert 48 <= len(inside) <= 52
    best = Threshold(low=None, high=40.0, by="value", then="top").select(pool, scores_S, 5, seed=0)
    assert scores_S[best].tolist() == [40, 39, 38, 37, 36]
    assert len(Threshold(low=200.0, high=None, by="value").select(pool, scores_S, 5, seed=0)) == 0


@pytest.mark.parametrize(("low", "high", "by"), [(0.8, 0.2, "value"), (-1.0, 0.5, "quantile"), (0.5, 3.0, "quantile")])
def test_bounds_that_nothing_can_lie_between_are_refused(low: float, high: float, by: str) -> None:
    with pytest.raises(ValidationError, match=r"above high|by = .value."):
        Threshold.model_validate({"low": low, "high": high, "by": by})


@pytest.mark.parametrize(
    "selector", [KCenter(), Dpp(), Facility(), Herding(), Diverse(alike=1.0), WholeClusters(), Tempered()], ids=repr
)
def test_a_larger_budget_adds_to_what_a_smaller_one_takes(selector: Selector) -> None:
    pool, scores_S = pool_of(directions(200)), scores_for(200)
    small, large = (selector.select(pool, scores_S, budget, seed=3).tolist() for budget in (15, 40))
    assert large[:15] == small


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=40))
def test_standard_scores_are_finite_whatever_is_scored(scores: list[float]) -> None:
    assert np.isfinite(standard(np.array(scores))).all()


def test_neighbours_are_those_of_all_pairs_or_nearly() -> None:
    vectors_SD = directions(6000, groups=100, dimensions=32)
    graph = nearest(vectors_SD, 16, seed=0)
    found = hits = 0
    for i in range(0, 6000, 40):
        true = set(np.argsort(-(vectors_SD @ vectors_SD[i]))[:16].tolist())
        hits += len(true & set(graph.to_SK[i].tolist()))
        found += 16
        assert i in graph.to_SK[i]
    assert hits >= 0.9 * found
    few = nearest(vectors_SD[:50], 5, seed=0)
    for i in range(50):
        true = np.sort(vectors_SD[:50] @ vectors_SD[i])[-5:]
        assert np.sort(few.cosine_SK[i]) == pytest.approx(np.clip(true, 0, 1), abs=1e-6)


def test_clusters_are_found_and_vectors_belong_to_the_nearest_centre() -> None:
    vectors_SD = directions(500, groups=3, dimensions=24, seed=4)
    clusters = k_means(vectors_SD, 12, seed=0)
    assert clusters.of_S.tolist() == (vectors_SD @ clusters.centres_CD.T).argmax(axis=1).tolist()
    assert sorted(np.concatenate(clusters.members()).tolist()) == list(range(500))
    drawn = (vectors_SD @ vectors_SD[:12].T).max(axis=1).mean()
    assert clusters.cosine_S.mean() > drawn
