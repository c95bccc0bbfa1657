"""Real tables, few rows of them and an exam, and what classifiers trained on rows come to."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ...training.curation.generation import Rows


@cache
def real(name: str) -> Rows:
    """Rows of one of scikit-learn's own real tables: `breast_cancer`, `wine`, `digits` or `diabetes`.

    What `diabetes` asks is whether the disease went on more than in the middle one of its patients.
    """
    from sklearn import datasets

    values, labels = getattr(datasets, f"load_{name}")(return_X_y=True)
    given = labels > np.median(labels) if name == "diabetes" else labels
    return Rows(np.asarray(values, dtype=np.float64), np.asarray(given, dtype=np.int64))


def divided(rows: Rows, few: int, rng: Generator) -> tuple[Rows, Rows, Rows]:
    """Draw few rows of one half, two of each label at least; give them, the rest of that half, and the other half."""
    order = rng.permutation(len(rows.labels_S))
    half = len(order) // 2
    own, exam = rows.take(order[:half]), rows.take(order[half:])
    sure = np.concatenate([np.flatnonzero(own.labels_S == label)[:2] for label in np.unique(rows.labels_S)])
    others = np.setdiff1d(np.arange(half), sure)
    chosen = np.concatenate([sure, others[: max(0, few - len(sure))]])
    return own.take(chosen), own.take(np.setdiff1d(np.arange(half), chosen)), exam


def agreed(known: Rows, made: Rows, *, seed: int) -> NDArray[np.bool_]:
    """Which rows have the label that a forest trained on known ones gives them."""
    from sklearn.ensemble import RandomForestClassifier

    forest: Any = RandomForestClassifier(100, random_state=seed)
    return np.asarray(forest.fit(known.values_SD, known.labels_S).predict(made.values_SD) == made.labels_S)


class Marks(NamedTuple):
    """What classifiers come to on an exam, mean of a forest and a logistic regression."""

    area: float
    """Under the ROC curve, each label against the rest."""
    accuracy: float


def judged(rows: Rows, exam: Rows, *, seed: int) -> Marks:
    """Train both on rows and ask them about the exam, which has every label that the rows have."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    forest: Any = RandomForestClassifier(100, random_state=seed)
    linear: Any = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    found: list[tuple[float, float]] = []
    for model in (forest, linear):
        chances_SL = model.fit(rows.values_SD, rows.labels_S).predict_proba(exam.values_SD)
        given = chances_SL if chances_SL.shape[1] > 2 else chances_SL[:, 1]
        said_S = model.classes_[chances_SL.argmax(1)]
        area = roc_auc_score(exam.labels_S, given, multi_class="ovr")
        found.append((float(area), float((said_S == exam.labels_S).mean())))
    return Marks(*(float(mean) for mean in np.mean(found, axis=0)))
