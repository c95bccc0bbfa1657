"""Rows made for a table that has few, and which of them are thrown out."""

import numpy as np
import pytest

from evolvent.benchmarks.bench.tables import agreed, divided, judged, real
from evolvent.training.curation.boosting import contradicted, watched
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
def test_two_rows_are_enough_for_a_generator(name: str) -> None:
    made = GENERATORS[name](make_rows(2), 10, np.random.default_rng(0))
    assert np.isfinite(made.values_SD).all()


def test_the_exam_shares_no_row_with_what_is_known_and_every_label_is_known() -> None:
    rows = real("wine")
    known, unknown, exam = divided(rows, 20, np.random.default_rng(0))
    assert len(known.labels_S) == 20
    assert set(known.labels_S) == set(rows.labels_S)
    every = np.concatenate([known.values_SD, unknown.values_SD, exam.values_SD])
    assert len(every) == len(np.unique(every, axis=0)) == len(rows.labels_S)


def test_dynamics_discard_rows_whose_label_was_turned_round_and_few_others() -> None:
    few, made = make_rows(40), make_rows(200, seed=1)
    turned_S = np.arange(200) < 50
    turned = Rows(made.values_SD, np.where(turned_S, 1 - made.labels_S, made.labels_S))
    gone_S = contradicted(watched(few, turned, seed=0))
    assert gone_S[turned_S].mean() > 0.9
    assert gone_S[~turned_S].mean() < 0.1
    assert np.array_equal(agreed(few, turned, seed=0), ~turned_S)


def test_wrong_labels_cost_area_on_the_exam() -> None:
    few, exam = make_rows(40), make_rows(200, seed=2)
    wrong = Rows(exam.values_SD, 1 - exam.labels_S)
    told, misled = judged(few, exam, seed=0), judged(few.join(wrong), exam, seed=0)
    assert min(told) > 0.95 > max(misled)
