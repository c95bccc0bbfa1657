"""Rows made for a table that has few, and which of them are thrown out."""

import numpy as np

from evolvent.benchmarks.bench.tables import agreed, divided, judged, real
from evolvent.training.curation.boosting import contradicted, watched
from evolvent.training.curation.generation import Rows


def make_rows(rows: int = 40, *, columns: int = 4, seed: int = 0) -> Rows:
    """Two labels that the first column tells apart; the last column is the same everywhere."""
    rng = np.random.default_rng(seed)
    labels = np.arange(rows) % 2
    values = rng.normal(size=(rows, columns))
    values[:, 0] += 6 * labels
    values[:, -1] = 3.0
    return Rows(values, labels)


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
