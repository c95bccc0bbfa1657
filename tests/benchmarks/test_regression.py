import numpy as np
import pytest

from evolvent.benchmarks.regression import Logistic, TfIdf

ROWS = np.random.default_rng(0).normal(size=(40, 60))
LABELS = [bool(row[0] + 0.3 * row[1] > 0) for row in ROWS]


@pytest.mark.parametrize("c", [0.1, 1.0, 100.0])
def test_the_slope_of_the_objective_is_nothing_where_a_fit_ends(c: float) -> None:
    found = Logistic.fit(ROWS, LABELS, c=c)
    y = np.where(LABELS, 1.0, -1.0)
    pull = c * y / (1 + np.exp(y * (ROWS @ found.weights_D + found.intercept)))
    assert found.weights_D == pytest.approx(ROWS.T @ pull, abs=1e-5)
    assert pull.sum() == pytest.approx(0, abs=1e-5)


def test_a_fit_says_of_its_own_rows_what_it_was_told() -> None:
    assert Logistic.fit(ROWS, LABELS, c=100.0).predict(ROWS) == LABELS


def test_a_text_is_nearest_to_what_is_written_like_it() -> None:
    tfidf = TfIdf.fit(["birmingham", "sheffield", "birmingxam"])
    vectors = tfidf.vectors(["birmingham", "birmingxam", "sheffield", ""])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1, 0])
    assert vectors[0] @ vectors[1] > 0.5 > vectors[0] @ vectors[2]
