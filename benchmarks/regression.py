"""The simple baselines of text tasks: TF-IDF over runs of characters, and logistic regression.

Both are written out here, since nothing else in the project needs scikit-learn; the objective is the one it minimises.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEPS, CLOSE = 100, 1e-6
"""Most steps of the fit, and the largest slope at which it is done."""


@dataclass(frozen=True, slots=True)
class TfIdf:
    """Runs of one to three characters, weighted by how rare they are; every text is a vector of length 1."""

    weights: dict[str, tuple[int, float]]
    """Place and inverse document frequency of each run."""

    @classmethod
    def fit(cls, texts: Sequence[str]) -> "TfIdf":
        """Count the runs of some texts."""
        counts = Counter(run for text in texts for run in set(_runs(text)))
        order = sorted(counts)
        return cls({run: (at, math.log((1 + len(texts)) / (1 + counts[run])) + 1) for at, run in enumerate(order)})

    def vectors(self, texts: Sequence[str]) -> Floats:
        """Give a row for each text; runs that were not counted are passed over."""
        rows_ND = np.zeros((len(texts), len(self.weights)))
        for row, text in zip(rows_ND, texts, strict=True):
            for run, count in Counter(_runs(text)).items():
                if run in self.weights:
                    at, weight = self.weights[run]
                    row[at] = count * weight
        lengths_N = np.linalg.norm(rows_ND, axis=1, keepdims=True)
        return rows_ND / np.where(lengths_N > 0, lengths_N, 1.0)


@dataclass(frozen=True, slots=True)
class Logistic:
    """Logistic regression with a penalty on the squared weights and none on the intercept."""

    weights_D: Floats
    intercept: float

    @classmethod
    def fit(cls, rows_ND: Floats, labels: Sequence[bool], *, c: float = 1.0) -> "Logistic":
        """Minimise `c` times the log loss, summed over rows, plus half the squared weights, by Newton's method.

        Weights are sums of rows, so it is done in the space that the rows span.
        """
        u, s, v = np.linalg.svd(rows_ND, full_matrices=False)
        x = np.hstack([u * s, np.ones((len(rows_ND), 1))])
        y = np.where(np.asarray(labels), 1.0, -1.0)
        penalty = np.append(np.ones(len(s)), 0.0)
        w = np.zeros(x.shape[1])
        for _ in range(STEPS):
            chance_N = 1 / (1 + np.exp(y * (x @ w)))
            slope = penalty * w - c * x.T @ (y * chance_N)
            if float(np.abs(slope).max()) < CLOSE:
                break
            curve = np.diag(penalty) + c * (x.T * (chance_N * (1 - chance_N))) @ x
            way = np.asarray(np.linalg.solve(curve, slope), dtype=np.float64)
            w = _descend(w, way, x, y, penalty, c)
        return cls(v.T @ w[:-1], float(w[-1]))

    def predict(self, rows_ND: Floats) -> list[bool]:
        """Say which rows are likelier than not."""
        return (rows_ND @ self.weights_D + self.intercept > 0).tolist()


def _descend(w: Floats, way: Floats, x: Floats, y: Floats, penalty: Floats, c: float) -> Floats:
    """Go as much of a way as makes the objective smaller."""

    def objective(at: Floats) -> float:
        return float((penalty * at) @ at / 2 + c * np.logaddexp(0, -y * (x @ at)).sum())

    length, now = 1.0, objective(w)
    while objective(w - length * way) > now and length > CLOSE:
        length /= 2
    return w - length * way


def _runs(text: str) -> list[str]:
    plain = f" {text.casefold()} " if text.strip() else ""
    return [plain[at : at + n] for n in (1, 2, 3) for at in range(len(plain) - n + 1)]
