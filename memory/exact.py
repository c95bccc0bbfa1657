"""Few vectors, searched exactly: what is found never depends on the order in which they came."""

from collections.abc import Sequence

import numpy as np

from .embedder import Vectors
from .store import Hit

DIGITS = 6
"""Of a similarity; products of matrices of other shapes differ in the last of single precision."""


class Exact:
    """Vectors by id.

    Args:
        ids: each another.
        vectors_SD: one a row, of any length.
    """

    def __init__(self, ids: Sequence[str], vectors_SD: Vectors) -> None:
        self._rows: dict[str, Vectors] = {}
        self._sorted: tuple[list[str], Vectors] | None = None
        self.add(ids, vectors_SD)

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, ids: Sequence[str], vectors_SD: Vectors) -> None:
        """Put vectors in, replacing those with the same id."""
        self._rows.update(zip(ids, _unit(vectors_SD), strict=True))
        self._sorted = None

    def search(self, vectors_QD: Vectors, k: int) -> list[list[Hit]]:
        """Give the `k` nearest per query by cosine, nearest first; equally near ones in the order of their ids."""
        if not self._rows:
            return [[] for _ in vectors_QD]
        if self._sorted is None:
            ids = sorted(self._rows)
            self._sorted = ids, np.stack([self._rows[id] for id in ids])
        ids, rows_SD = self._sorted
        similar_QS = np.round(_unit(vectors_QD) @ rows_SD.T, DIGITS)
        nearest_QK = np.argsort(-similar_QS, axis=1, kind="stable")[:, :k]
        return [
            [Hit(ids[row], float(similar_S[row])) for row in nearest_K]
            for similar_S, nearest_K in zip(similar_QS, nearest_QK, strict=True)
        ]


def _unit(vectors_SD: Vectors) -> Vectors:
    """Vectors of length 1; one of length 0 stays, and is like none."""
    lengths_S1 = np.linalg.norm(vectors_SD, axis=1, keepdims=True)
    return np.divide(vectors_SD, lengths_S1, out=np.zeros_like(vectors_SD), where=lengths_S1 > 0)
