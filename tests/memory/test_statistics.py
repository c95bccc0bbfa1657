from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolvent.memory import statistics as stats

shares = st.floats(0, 1)


@st.composite
def changes(draw: st.DrawFn, most: int = 400) -> tuple[int, int, int]:
    """Gained, lost and items of a paired exam."""
    items = draw(st.integers(1, most))
    gained = draw(st.integers(0, items))
    return gained, draw(st.integers(0, items - gained)), items


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_wilson_contains_the_share_it_was_made_from(passed: int, failed: int) -> None:
    interval = stats.wilson(passed, passed + failed)
    assert 0 <= interval.low <= passed / max(1, passed + failed) <= interval.high <= 1


def test_wilson_matches_the_published_example() -> None:
    # Newcombe 1998, Statistics in Medicine 17, table I, method 3
    assert stats.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert stats.wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


@given(st.integers(0, 60), st.integers(1, 60))
def test_a_rate_at_its_exact_upper_bound_gives_so_few_hits_as_often_as_allowed(hits: int, missed: int) -> None:
    tried = hits + missed
    bound = stats.rate_upper(hits, tried, error=0.05)
    below = sum(comb(tried, k) * bound**k * (1 - bound) ** (tried - k) for k in range(hits + 1))
    assert below == pytest.approx(0.05, abs=1e-6)


def test_an_upper_bound_without_hits_is_the_rule_of_three() -> None:
    assert stats.rate_upper(0, 100) == pytest.approx(1 - 0.05 ** (1 / 100))
    assert stats.rate_upper(7, 7) == 1.0
    with pytest.raises(ValueError, match="3 of 2"):
        stats.rate_upper(3, 2)


def test_nothing_tried_leaves_everything_possible() -> None:
    assert stats.wilson(0, 0) == (0.0, 1.0)
    assert stats.rate_upper(0, 0) == 1.0


def test_more_passed_than_tried_is_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        stats.wilson(3, 2)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_binomial_tail(gained: int, lost: int) -> None:
    n = gained + lost
    exact = sum(comb(n, k) for k in range(gained, n + 1)) / 2**n
    assert stats.mcnemar(gained, lost) == pytest.approx(exact, rel=1e-10)


def test_mcnemar_stays_exact_for_many_changes() -> None:
    exact = sum(comb(3000, k) for k in range(1600, 3001)) / 2**3000
    assert stats.mcnemar(1600, 1400) == pytest.approx(exact, rel=1e-8)


def test_fisher_matches_the_lady_tasting_tea() -> None:
    assert stats.fisher(4, 4, 0, 4) == pytest.approx(1 / 70)
    assert stats.fisher(3, 4, 1, 4) == pytest.approx(17 / 70)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_fisher_counts_the_ways_to_deal_out_the_hits(hit_a: int, miss_a: int, hit_b: int, miss_b: int) -> None:
    n_a, n_b, hits = hit_a + miss_a, hit_b + miss_b, hit_a + hit_b
    ways = sum(comb(n_a, k) * comb(n_b, hits - k) for k in range(hit_a, min(n_a, hits) + 1))
    assert stats.fisher(hit_a, n_a, hit_b, n_b) == pytest.approx(ways / comb(n_a + n_b, hits), rel=1e-9)


def test_fisher_without_a_group_shows_nothing() -> None:
    assert stats.fisher(0, 0, 3, 9) == pytest.approx(1.0)


@given(changes())
def test_the_loss_bound_lies_between_the_loss_seen_and_everything(counts: tuple[int, int, int]) -> None:
    gained, lost, items = counts
    upper = stats.non_inferiority_upper(gained, lost, items, alpha=0.05)
    assert (lost - gained) / items <= upper <= 1


@given(changes(most=200))
def test_one_more_loss_never_lowers_the_loss_bound(counts: tuple[int, int, int]) -> None:
    gained, lost, items = counts
    before = stats.non_inferiority_upper(gained, lost, items + 1, alpha=0.05)
    assert stats.non_inferiority_upper(gained, lost + 1, items + 1, alpha=0.05) >= before


def test_the_loss_bound_without_any_change_is_the_wilson_bound() -> None:
    upper = stats.non_inferiority_upper(0, 0, 800, alpha=0.05)
    assert upper == pytest.approx(stats.wilson(0, 800, confidence=0.9).high)


def test_the_loss_bound_solves_the_score_equation_found_by_search() -> None:
    gained, lost, items = 6, 14, 300
    upper = stats.non_inferiority_upper(gained, lost, items, alpha=0.05)
    q = np.linspace(1e-9, (1 - upper) / 2 - 1e-9, 1_000_001)
    likelihood = lost * np.log(q + upper) + gained * np.log(q) + (items - gained - lost) * np.log(1 - 2 * q - upper)
    best = q[likelihood.argmax()]
    error = np.sqrt(items * (2 * best + upper - upper**2))
    assert (lost - gained - items * upper) / error == pytest.approx(-1.6449, abs=1e-3)


def test_the_loss_bound_covers_its_share_of_true_losses() -> None:
    for churn in (0.0, 0.01, 0.02, 0.04, 0.1):
        blocked = stats.block_chance(800, 0.02, margin=0.02, alpha=0.05, disagreement=churn)
        assert 0.945 <= blocked <= 0.965


def test_no_items_may_hide_any_loss() -> None:
    assert stats.non_inferiority_upper(0, 0, 0, alpha=0.05) == 1.0


def test_changes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit in 5 items"):
        stats.non_inferiority_upper(3, 3, 5, alpha=0.05)


@given(changes())
def test_the_paired_interval_mirrors_when_the_models_swap(counts: tuple[int, int, int]) -> None:
    gained, lost, items = counts
    interval, mirrored = stats.paired_interval(gained, lost, items), stats.paired_interval(lost, gained, items)
    assert interval.low <= (gained - lost) / items <= interval.high
    assert interval == pytest.approx((-mirrored.high, -mirrored.low))


def test_the_paired_interval_of_two_identical_models_is_not_a_point() -> None:
    interval = stats.paired_interval(0, 0, 100)
    assert interval == pytest.approx((-0.037, 0.037), abs=1e-3)


def test_sprt_decides_as_soon_as_the_evidence_allows() -> None:
    assert stats.sprt(0, 0, failing=0.5, mastered=0.9) == "undecided"
    assert stats.sprt(5, 5, failing=0.5, mastered=0.9) == "undecided"
    assert stats.sprt(6, 6, failing=0.5, mastered=0.9) == "mastered"
    assert stats.sprt(0, 2, failing=0.5, mastered=0.9) == "failing"


def test_sprt_refuses_rates_in_the_wrong_order() -> None:
    with pytest.raises(ValueError, match=r"failing 0\.9 must be below mastered 0\.5"):
        stats.sprt(1, 2, failing=0.9, mastered=0.5)


@given(st.floats(0.001, 0.2), st.integers(1, 50))
def test_a_session_never_spends_more_than_its_alpha(alpha: float, rounds: int) -> None:
    assert sum(stats.spent_alpha(alpha, r, rounds) for r in range(1, rounds + 1)) == pytest.approx(alpha)
    with pytest.raises(ValueError, match=f"outside 1..{rounds}"):
        stats.spent_alpha(alpha, rounds + 1, rounds)


def test_detectable_gain_agrees_with_the_figures_of_the_study() -> None:
    # section 3.1 of the reliability study: 500 draws per point, rounded up to a grid of 0.25 points
    for items, points in ((100, 11.8), (500, 5.5), (1000, 3.8)):
        assert 100 * stats.detectable_gain(items, alpha=0.05, power=0.8) == pytest.approx(points, abs=0.5)


def test_detectable_gain_has_the_power_it_names() -> None:
    gain, rng = stats.detectable_gain(300, alpha=0.0125), np.random.default_rng(0)
    draws = rng.multinomial(300, [0.1 + gain / 2, 0.1 - gain / 2, 0.8], size=4000)
    found = [stats.mcnemar(g, n) <= 0.0125 for g, n, _ in draws.tolist()]
    assert np.mean(found) == pytest.approx(0.9, abs=0.015)


def test_too_few_items_detect_nothing() -> None:
    assert stats.detectable_gain(4, alpha=0.0125) == 1.0


def test_detectable_loss_is_blocked_with_the_power_it_names() -> None:
    loss = stats.detectable_loss(800, margin=0.02, alpha=0.05)
    assert 0 < loss < 0.02
    assert stats.block_chance(800, loss, margin=0.02, alpha=0.05) == pytest.approx(0.8, abs=1e-6)


@given(shares, shares)
def test_chance_correction_stays_a_share_and_keeps_perfection(rate: float, chance: float) -> None:
    assert 0 <= stats.chance_corrected(rate, chance) <= 1
    assert stats.chance_corrected(chance, chance) == 0
    assert stats.chance_corrected(1.0, 0.75) == 1
