"""New rows for a table that has few: statistical generators, each fitted on the rows there are, label included.

A generator gives finite values between the least and the greatest of a column, and labels that are known; how often a
label is wrong for its values is the generator's own matter, and what `boosting.py` looks at.
"""

from collections.abc import Callable, Mapping
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
NEAR = 5
"""Neighbours among which an interpolated row lies, as in arXiv:1106.1813."""
SHRUNK = 0.2
"""How far correlations are drawn towards none, since few rows say little of many pairs of columns."""


class Rows(NamedTuple):
    """Rows by features, and a label each."""

    values_SD: Floats
    labels_S: Labels
    coded: frozenset[int] = frozenset()
    """Columns whose numbers are codes of words: nothing lies between two of them."""

    def take(self, which: NDArray[Any]) -> "Rows":
        """Some of them, by number or mask."""
        return self._replace(values_SD=self.values_SD[which], labels_S=self.labels_S[which])

    def join(self, other: "Rows") -> "Rows":
        """These and others of the same columns."""
        return self._replace(
            values_SD=np.concatenate([self.values_SD, other.values_SD]),
            labels_S=np.concatenate([self.labels_S, other.labels_S]),
        )


def interpolated(few: Rows, many: int, rng: Generator) -> Rows:
    """Between a row and one of its nearest of the same label; a code is that of one of both.

    Source: SMOTE, Chawla et al. 2002, arXiv:1106.1813.
    """
    from sklearn.neighbors import NearestNeighbors

    scale_D = few.values_SD.std(0) + 1e-9
    labels_S = rng.choice(few.labels_S, many)
    values_SD = np.empty((many, few.values_SD.shape[1]))
    for label in np.unique(labels_S):
        own_RD = few.values_SD[few.labels_S == label]
        others = NearestNeighbors(n_neighbors=max(1, min(NEAR, len(own_RD) - 1))).fit(own_RD / scale_D)
        # asked without rows, it leaves each out of its own neighbours
        near_RK = others.kneighbors(return_distance=False) if len(own_RD) > 1 else np.zeros((1, 1), dtype=int)
        wanted = np.flatnonzero(labels_S == label)
        from_S = rng.integers(len(own_RD), size=len(wanted))
        to_S = near_RK[from_S, rng.integers(near_RK.shape[1], size=len(wanted))]
        way_SD = np.repeat(rng.random((len(wanted), 1)), own_RD.shape[1], axis=1)
        way_SD[:, sorted(few.coded)] = way_SD[:, sorted(few.coded)].round()
        values_SD[wanted] = own_RD[from_S] + way_SD * (own_RD[to_S] - own_RD[from_S])
    return few._replace(values_SD=values_SD, labels_S=labels_S)


def marginal(few: Rows, many: int, rng: Generator) -> Rows:
    """Every column drawn by itself from the rows of a label, as naive Bayes has it."""
    labels_S = rng.choice(few.labels_S, many)
    values_SD = np.empty((many, few.values_SD.shape[1]))
    for label in np.unique(labels_S):
        own_RD = few.values_SD[few.labels_S == label]
        wanted = np.flatnonzero(labels_S == label)
        picked_SD = rng.integers(len(own_RD), size=(len(wanted), own_RD.shape[1]))
        values_SD[wanted] = np.take_along_axis(own_RD, picked_SD, axis=0)
    return few._replace(values_SD=values_SD, labels_S=labels_S)


def copula(few: Rows, many: int, rng: Generator) -> Rows:
    """A Gaussian copula over all columns and one column for each label; a row's label is that of the largest.

    Labels hang on the columns by linear correlation alone, so many are wrong where few rows are known.
    """
    named = np.unique(few.labels_S)
    shown_RL = (few.labels_S[:, None] == named).astype(float)
    cov_DD = _correlation(np.concatenate([few.values_SD, shown_RL], axis=1), rng)
    drawn_SD = rng.multivariate_normal(np.zeros(len(cov_DD)), cov_DD, size=many, method="cholesky")
    at_SD = np.vectorize(NormalDist().cdf, otypes=[float])(drawn_SD)
    columns = [
        np.quantile(column_R, at_SD[:, d], method="nearest" if d in few.coded else "linear")
        for d, column_R in enumerate(few.values_SD.T)
    ]
    labels_S = named[np.argmax(at_SD[:, -len(named) :] - (1 - shown_RL.mean(0)), axis=1)]
    return few._replace(values_SD=np.stack(columns, axis=1), labels_S=labels_S)


def _correlation(table_RD: Floats, rng: Generator) -> Floats:
    """Correlations of normal scores, shrunk; ties are broken by chance, and one row has none."""
    if len(table_RD) < 2:
        return np.eye(table_RD.shape[1])
    drawn_RD = rng.random(table_RD.shape)
    ranks_RD = np.stack([np.argsort(np.lexsort(pair)) for pair in zip(drawn_RD.T, table_RD.T, strict=True)], axis=1)
    scores_RD = np.vectorize(NormalDist().inv_cdf, otypes=[float])((ranks_RD + 0.5) / len(table_RD))
    return (1 - SHRUNK) * np.corrcoef(scores_RD, rowvar=False) + SHRUNK * np.eye(table_RD.shape[1])


GENERATORS: Mapping[str, Callable[[Rows, int, Generator], Rows]] = {
    "interpolated": interpolated,
    "marginal": marginal,
    "copula": copula,
}
