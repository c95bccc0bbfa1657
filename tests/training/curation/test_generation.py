"""Rows made for a table that has few, and which of them the real ones contradict."""

import numpy as np
import pytest

from evolvent.training.curation.boosting import ROUNDS, contradicted, watched
from evolvent.training.curation.generation import GENERATORS, Rows


def make_rows(rows: int = 40, *, columns: int = 4, seed: int = 0) -> Rows:
    """Two labels that the first column tells apart; the last column is the same everywhere."""
    rng = np.random.default_rng(seed)
    labels = np.arange(rows) % 2
    values = rng.normal(size=(rows, columns))
    values[:, 0] += 6 * labels
    values[:, -1] = 3.0
    return Rows(values, labels)


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_makes_finite_rows_of_known_labels_and_the_same_ones_again(name: str) -> None:
    few = make_rows()
    made, again = (GENERATORS[name](few, 100, np.random.default_rng(7)) for _ in range(2))
    assert made.values_SD.shape == (100, 4)
    assert np.isfinite(made.values_SD).all()
    assert set(made.labels_S) == {0, 1}
    assert np.array_equal(made.values_SD, again.values_SD)
    assert np.array_equal(made.labels_S, again.labels_S)
    assert (made.values_SD.min(0) >= few.values_SD.min(0) - 1e-9).all()
    assert (made.values_SD.max(0) <= few.values_SD.max(0) + 1e-9).all()


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_one_row_of_each_label_is_enough_for_a_generator(name: str, rows: int) -> None:
    made = GENERATORS[name](make_rows(rows), 10, np.random.default_rng(0))
    assert made.values_SD.shape == (10, 4)
    assert np.isfinite(made.values_SD).all()
    assert set(made.labels_S) <= {0, 1}


@pytest.mark.parametrize("name", GENERATORS)
def test_rows_of_one_label_give_rows_of_that_label(name: str) -> None:
    few = make_rows(12)._replace(labels_S=np.full(12, 7))
    made = GENERATORS[name](few, 30, np.random.default_rng(0))
    assert set(made.labels_S) == {7}
    assert np.isfinite(made.values_SD).all()


@pytest.mark.parametrize("name", GENERATORS)
def test_nothing_lies_between_two_codes(name: str) -> None:
    few = make_rows(20)
    few.values_SD[:, 1] = np.array([0, 2, 5])[np.arange(20) % 3]
    made = GENERATORS[name](few._replace(coded=frozenset({1})), 200, np.random.default_rng(0))
    assert set(made.values_SD[:, 1]) <= {0, 2, 5}
    assert len(set(made.values_SD[:, 0])) > 20 or name == "marginal"


def test_a_copula_keeps_what_two_columns_have_in_common_and_a_marginal_does_not() -> None:
    rng = np.random.default_rng(1)
    values_SD = rng.normal(size=(200, 1)) + 0.1 * rng.normal(size=(200, 2))
    few = Rows(values_SD, np.arange(200) % 2)
    together = {
        name: abs(np.corrcoef(generate(few, 500, np.random.default_rng(0)).values_SD, rowvar=False)[0, 1])
        for name, generate in GENERATORS.items()
    }
    assert together["copula"] > 0.6 > 0.2 > together["marginal"]


def test_a_row_goes_only_if_its_label_is_unlikely_and_that_is_sure() -> None:
    likely_ES = np.array([[0.0, 0.1, 0.3, 0.0, 1.0], [0.1, 0.3, 0.3, 0.39, 1.0]])
    assert contradicted(likely_ES).tolist() == [True, True, False, True, False]
    assert contradicted(likely_ES, unlikely=0.1).tolist() == [True, False, False, False, False]
    assert contradicted(likely_ES, certain=0.1).tolist() == [True, False, False, False, False]


def test_labels_that_were_turned_round_are_contradicted_and_few_others() -> None:
    few, made = make_rows(40), make_rows(200, seed=1)
    turned_S = np.arange(200) < 50
    likely_ES = watched(few, Rows(made.values_SD, np.where(turned_S, 1 - made.labels_S, made.labels_S)), seed=0)
    assert likely_ES.shape == (ROUNDS, 200)
    gone_S = contradicted(likely_ES)
    assert gone_S[turned_S].mean() > 0.9
    assert gone_S[~turned_S].mean() < 0.1


def test_a_label_that_no_real_row_has_is_contradicted() -> None:
    few, made = make_rows(40), make_rows(10, seed=1)
    assert contradicted(watched(few, made._replace(labels_S=np.full(10, 9)), seed=0)).all()
    alone = few._replace(labels_S=np.zeros(40, dtype=np.int64))
    assert contradicted(watched(alone, made, seed=0)).tolist() == [False, True] * 5


def test_rows_of_a_large_table_are_interpolated_without_looking_at_all_pairs() -> None:
    rng = np.random.default_rng(0)
    many = 60_000
    large = Rows(rng.normal(size=(many, 3)), rng.integers(2, size=many))
    # all pairs of one label are 20 GiB of numbers
    assert len(GENERATORS["interpolated"](large, 10, rng).labels_S) == 10
