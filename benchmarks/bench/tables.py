"""Rows for a table that has few: real tables, statistical generators, and what a boosted classifier makes of rows.

A generator fits what few real rows have and draws new ones, label included; how wrong its labels are is its own matter.
"""

from collections.abc import Callable, Mapping
from functools import cache
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
ROUNDS = 100
"""Boosting rounds that are replayed as checkpoints, as in arXiv:2312.12112."""
NEAR = 5
"""Neighbours among which an interpolated row lies, as in arXiv:1106.1813."""


class Rows(NamedTuple):
    """Rows by features, and a label each."""

    values_SD: Floats
    labels_S: Labels

    def take(self, which: NDArray[Any]) -> "Rows":
        """Some of them, by number or mask."""
        return Rows(self.values_SD[which], self.labels_S[which])

    def join(self, other: "Rows") -> "Rows":
        """These and others."""
        return Rows(np.concatenate([self.values_SD, other.values_SD]), np.concatenate([self.labels_S, other.labels_S]))


@cache
def real(name: str) -> Rows:
    """Rows of one of scikit-learn's own real tables: `breast_cancer`, `wine` or `digits`."""
    from sklearn import datasets

    values, labels = getattr(datasets, f"load_{name}")(return_X_y=True)
    return Rows(np.asarray(values, dtype=np.float64), np.asarray(labels, dtype=np.int64))


def divided(rows: Rows, few: int, rng: Generator) -> tuple[Rows, Rows, Rows]:
    """Draw few rows of one half, two of each label at least; give them, the rest of that half, and the other half."""
    order = rng.permutation(len(rows.labels_S))
    half = len(order) // 2
    own, exam = rows.take(order[:half]), rows.take(order[half:])
    sure = np.concatenate([np.flatnonzero(own.labels_S == label)[:2] for label in np.unique(rows.labels_S)])
    others = np.setdiff1d(np.arange(half), sure)
    chosen = np.concatenate([sure, others[: max(0, few - len(sure))]])
    return own.take(chosen), own.take(np.setdiff1d(np.arange(half), chosen)), exam


def interpolated(few: Rows, many: int, rng: Generator) -> Rows:
    """Between a row and one of its nearest of the same label (SMOTE, arXiv:1106.1813)."""
    scale_D = few.values_SD.std(0) + 1e-9
    labels_S = rng.choice(few.labels_S, many)
    values = np.empty((many, few.values_SD.shape[1]))
    for label in np.unique(labels_S):
        own_RD = few.values_SD[few.labels_S == label]
        far_RR = np.linalg.norm((own_RD[:, None] - own_RD[None]) / scale_D, axis=2)
        near_RK = np.argsort(far_RR, axis=1)[:, 1 : NEAR + 1] if len(own_RD) > 1 else np.zeros((1, 1), dtype=int)
        wanted = np.flatnonzero(labels_S == label)
        from_S = rng.integers(len(own_RD), size=len(wanted))
        to_S = near_RK[from_S, rng.integers(near_RK.shape[1], size=len(wanted))]
        values[wanted] = own_RD[from_S] + rng.random((len(wanted), 1)) * (own_RD[to_S] - own_RD[from_S])
    return Rows(values, labels_S)


def marginal(few: Rows, many: int, rng: Generator) -> Rows:
    """Every column drawn by itself from the rows of a label, as naive Bayes has it."""
    labels_S = rng.choice(few.labels_S, many)
    values = np.empty((many, few.values_SD.shape[1]))
    for label in np.unique(labels_S):
        own_RD = few.values_SD[few.labels_S == label]
        wanted = np.flatnonzero(labels_S == label)
        picked = rng.integers(len(own_RD), size=(len(wanted), own_RD.shape[1]))
        values[wanted] = np.take_along_axis(own_RD, picked, axis=0)
    return Rows(values, labels_S)


def copula(few: Rows, many: int, rng: Generator) -> Rows:
    """A Gaussian copula over all columns and one column for each label; a row's label is that of the largest.

    Labels hang on the columns by linear correlation alone, so many are wrong where few rows are known.
    """
    named = np.unique(few.labels_S)
    shown = (few.labels_S[:, None] == named).astype(float)
    table_RD = np.concatenate([few.values_SD, shown], axis=1)
    jitter = rng.random(table_RD.shape) * 1e-6
    ranks_RD = np.argsort(np.argsort(table_RD + jitter, axis=0), axis=0)
    normal = np.vectorize(NormalDist().inv_cdf)
    scores_RD = normal((ranks_RD + 0.5) / len(table_RD))
    # shrunk towards independence, since few rows say little of many pairs
    cov_DD = 0.8 * np.corrcoef(scores_RD, rowvar=False) + 0.2 * np.eye(table_RD.shape[1])
    drawn_SD = rng.multivariate_normal(np.zeros(len(cov_DD)), cov_DD, size=many, method="cholesky")
    at_SD = np.vectorize(NormalDist().cdf)(drawn_SD)
    values = np.stack([np.quantile(few.values_SD[:, d], at_SD[:, d]) for d in range(few.values_SD.shape[1])], axis=1)
    share_L = shown.mean(0)
    return Rows(values, named[np.argmax(at_SD[:, -len(named) :] - (1 - share_L), axis=1)])


GENERATORS: Mapping[str, Callable[[Rows, int, Generator], Rows]] = {
    "interpolated": interpolated,
    "marginal": marginal,
    "copula": copula,
}


def watched(few: Rows, made: Rows, *, seed: int) -> Floats:
    """Probability that a classifier boosted on few real rows gives each label, after every round; rounds by rows."""
    from sklearn.ensemble import GradientBoostingClassifier

    model: Any = GradientBoostingClassifier(n_estimators=ROUNDS, max_depth=3, random_state=seed)
    model.fit(few.values_SD, few.labels_S)
    at_S = np.searchsorted(model.classes_, made.labels_S)
    return np.stack([p_SL[np.arange(len(at_S)), at_S] for p_SL in model.staged_predict_proba(made.values_SD)])


def agreed(known: Rows, made: Rows, *, seed: int) -> NDArray[np.bool_]:
    """Which rows have the label that a forest trained on known ones gives them."""
    from sklearn.ensemble import RandomForestClassifier

    forest: Any = RandomForestClassifier(100, random_state=seed)
    return np.asarray(forest.fit(known.values_SD, known.labels_S).predict(made.values_SD) == made.labels_S)


def judged(rows: Rows, exam: Rows, *, seed: int) -> float:
    """Area under the ROC curve, each label against the rest, mean of a forest and a logistic regression."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    forest: Any = RandomForestClassifier(100, random_state=seed)
    linear: Any = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    found: list[float] = []
    for model in (forest, linear):
        chances_SL = model.fit(rows.values_SD, rows.labels_S).predict_proba(exam.values_SD)
        given = chances_SL if chances_SL.shape[1] > 2 else chances_SL[:, 1]
        found.append(float(roc_auc_score(exam.labels_S, given, multi_class="ovr")))
    return float(np.mean(found))
