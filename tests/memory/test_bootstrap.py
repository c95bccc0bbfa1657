import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolvent.memory.bootstrap import bootstrap_interval, bootstrap_p, bootstrap_upper
from evolvent.memory.statistics import mcnemar

counts = st.integers(0, 40)


@given(counts, counts, st.integers(0, 300))
def test_on_right_and_wrong_answers_the_bootstrap_is_mcnemar(gained: int, lost: int, same: int) -> None:
    differences = [1.0] * gained + [-1.0] * lost + [0.0] * same
    exact = mcnemar(gained, lost)
    # 20,000 draws; five of their standard errors, and the one draw that is always counted
    error = 5 * np.sqrt(exact * (1 - exact) / 20_000) + 1e-4
    assert bootstrap_p(differences, alpha=0.005) == pytest.approx(exact, abs=error)


def test_items_that_never_differ_still_bound_the_loss_by_the_rule_of_three() -> None:
    # Clopper & Pearson: with nothing lost among n items at most 1 - alpha ** (1 / n), about 3 / n
    assert bootstrap_upper([0.0] * 100, alpha=0.05) == pytest.approx(1 - 0.05 ** (1 / 100), rel=0.1)


def test_the_interval_agrees_with_the_normal_one_where_there_are_many_items() -> None:
    values = np.random.default_rng(0).uniform(0, 1, size=2000)
    reach = 1.96 * values.std() / np.sqrt(values.size)
    assert bootstrap_interval(values.tolist()) == pytest.approx(
        (values.mean() - reach, values.mean() + reach), abs=2e-3
    )


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.randoms())
def test_bounds_are_a_function_of_the_values_in_any_order(values: list[float], random: object) -> None:
    shuffled = sorted(values, key=lambda v: hash((v, str(random))))
    low, high = bootstrap_interval(values)
    assert 0 <= low <= np.mean(values) <= high <= 1
    assert bootstrap_interval(shuffled) == (low, high)


def test_rounding_does_not_tell_equal_differences_apart() -> None:
    assert bootstrap_p([0.3 - 0.1, 0.1], alpha=0.05) == bootstrap_p([0.2, 0.1], alpha=0.05)


def test_without_items_nothing_is_known() -> None:
    assert bootstrap_interval([]) == (0.0, 1.0)
    assert bootstrap_upper([], alpha=0.05) == 1.0
    assert bootstrap_p([], alpha=0.05) == 1.0


def test_few_skewed_items_are_covered_where_the_percentile_bootstrap_is_not() -> None:
    rng = np.random.default_rng(0)
    # one loss in fifty is nearly whole; the mean loss is 0.018
    losses_SI = np.where(rng.random((400, 60)) < 0.02, 0.9, 0.0)
    missed = sum(bootstrap_upper(losses.tolist(), alpha=0.05) < 0.018 for losses in losses_SI)
    draws = rng.integers(0, 60, size=(200, 60))
    plain = sum(np.quantile(losses[draws].mean(axis=1), 0.95) < 0.018 for losses in losses_SI)
    assert missed <= 0.05 * 400
    assert plain > 0.2 * 400
