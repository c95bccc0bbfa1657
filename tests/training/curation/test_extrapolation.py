"""What is measured on some samples is fitted to all."""

import logging

import numpy as np
import pytest

from evolvent.memory.errors import PartError
from evolvent.training.curation.extrapolation import STRENGTHS, Ridge, draw, examine, rank_correlation, spread
from evolvent.training.curation.pool import Context, Pool

from .pools import make_pool, shuffled


def test_the_same_samples_are_drawn_whatever_the_order() -> None:
    pool = make_pool(30)
    other, _ = shuffled(pool)
    drawn = [[p.ids[i] for i in draw(p, 7, seed=2)] for p in (pool, other)]
    assert drawn[0] == drawn[1] == sorted(set(drawn[0]))
    assert [pool.ids[i] for i in draw(pool, 30, seed=2)] == sorted(pool.ids)


def test_slopes_are_those_of_the_normal_equations_at_the_strength_that_leaves_out_best() -> None:
    rng = np.random.default_rng(0)
    x_SD, noise_S = rng.normal(size=(24, 4)), rng.normal(size=24)
    y_S = x_SD @ [1.0, -2, 0, 0.5] + noise_S

    def solve(x_SD: np.ndarray, y_S: np.ndarray, penalty: float) -> tuple[np.ndarray, float]:
        wide = np.column_stack([x_SD, np.ones(len(y_S))])
        penalties = np.diag([penalty] * x_SD.shape[1] + [0.0])
        found = np.linalg.solve(wide.T @ wide + penalties, wide.T @ y_S)
        return found[:-1], float(found[-1])

    centred_SD = x_SD - x_SD.mean(0)
    unit = float(np.trace(centred_SD.T @ centred_SD)) / 4
    errors: list[float] = []
    for strength in STRENGTHS:
        lost = 0.0
        for i in range(24):
            slopes_D, base = solve(np.delete(x_SD, i, 0), np.delete(y_S, i), strength * unit)
            lost += float(y_S[i] - x_SD[i] @ slopes_D - base) ** 2
        errors.append(lost)
    fit = Ridge(x_SD, y_S)
    assert fit.strength == STRENGTHS[int(np.argmin(errors))]
    slopes_D, base = solve(x_SD, y_S, fit.strength * unit)
    np.testing.assert_allclose(fit.predict(x_SD), x_SD @ slopes_D + base)


def test_equal_vectors_are_expected_to_be_worth_the_mean() -> None:
    fit = Ridge(np.ones((6, 3)), np.arange(6, dtype=np.float64))
    np.testing.assert_allclose(fit.predict(np.ones((2, 3))), 2.5)


def test_rank_correlation_is_that_of_ranks_with_ties_shared() -> None:
    a_S, b_S = np.array([1.0, 2, 2, 5, 0]), np.array([3.0, 1, 4, 9, 1])
    ranks = [[1, 2.5, 2.5, 4, 0], [2, 0.5, 3, 4, 0.5]]
    assert rank_correlation(a_S, b_S) == pytest.approx(np.corrcoef(ranks)[0, 1])
    assert rank_correlation(a_S, np.zeros(5)) == 0


def test_what_was_measured_stays_and_the_rest_is_expected(caplog: pytest.LogCaptureFixture) -> None:
    pool = make_pool(200)
    worth_S = (pool.vectors_SD @ np.random.default_rng(0).normal(size=pool.vectors_SD.shape[1])).astype(np.float64)
    measured = draw(pool, 150, seed=1)
    with caplog.at_level(logging.INFO):
        full_S = spread(pool, measured, worth_S[measured], method="scorer 'test'", context=Context(seed=1))
    np.testing.assert_array_equal(full_S[measured], worth_S[measured])
    rest = np.setdiff1d(np.arange(200), measured)
    assert rank_correlation(full_S[rest], worth_S[rest]) > 0.7
    assert "scorer 'test' measured 150 of 200 samples and fitted the rest: held-out rank correlation 0." in caplog.text


def test_too_few_samples_say_nothing_of_the_fit() -> None:
    assert examine(np.eye(20), np.arange(20, dtype=np.float64), seed=0) is None


def test_without_vectors_everything_has_to_be_measured() -> None:
    bare = Pool(make_pool(10).rows)
    with pytest.raises(PartError, match=r"'x' measures 4 of 10 .* raise its setting 'most', or give an embedder"):
        spread(bare, draw(bare, 4, seed=0), np.zeros(4), method="scorer 'x'", context=Context())
    assert len(spread(bare, draw(bare, 10, seed=0), np.zeros(10), method="scorer 'x'", context=Context())) == 10
