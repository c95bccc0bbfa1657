"""Groups of vectors that point the same way: k-means on the unit sphere, by matrix products.

Source: Dhillon & Modha 2001, *Concept decompositions for large sparse text data using clustering* (spherical k-means).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...memory.embedder import Vectors

ITERATIONS = 10
"""Rounds of moving centres; samples hardly change their cluster after that."""
TRAINED = 64
"""Vectors per cluster that centres are fitted to; more move them no further than chance does."""
CHUNK = 8192
"""Vectors at a time, so that products stay small."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """Centres, and which one each vector belongs to."""

    centres_CD: Vectors
    """Rows of length 1."""
    of_S: NDArray[np.int64]
    """Cluster of every vector: the one whose centre has the highest cosine, the first of equal ones."""
    cosine_S: NDArray[np.float32]
    """Cosine to that centre."""

    def members(self) -> list[NDArray[np.int64]]:
        """Positions of the vectors of every cluster; a cluster may be empty."""
        order = np.argsort(self.of_S, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self.of_S, minlength=len(self.centres_CD)))[:-1])


def k_means(
    vectors_SD: Vectors, count: int, *, seed: int, iterations: int = ITERATIONS, start_CD: Vectors | None = None
) -> Clusters:
    """Group vectors; the outcome follows from them, their order and the seed.

    Args:
        vectors_SD: rows of length 1.
        count: clusters wanted, at least 1; no more than there are vectors.
        seed: chooses the vectors that centres start from and are fitted to.
        iterations: rounds of moving centres; few are enough to find neighbours by.
        start_CD: centres to start from, as many as there are to be; without them `count` of the vectors.
    """
    count = len(start_CD) if start_CD is not None else min(count, len(vectors_SD))
    rng = np.random.default_rng(seed)
    some = rng.permutation(len(vectors_SD))[: TRAINED * count]
    trained_TD = vectors_SD[np.sort(some)]
    centres_CD = vectors_SD[some[:count]] if start_CD is None else start_CD
    for _ in range(iterations):
        of_T, _ = nearest_centre(trained_TD, centres_CD)
        moved_CD = _sums(trained_TD, of_T, count)
        lengths_C = np.linalg.norm(moved_CD, axis=1, keepdims=True)
        # a centre that nothing is nearest to stays where it is
        moved_CD = np.where(lengths_C > 0, moved_CD / np.maximum(lengths_C, 1e-12), centres_CD)
        if np.array_equal(moved_CD, centres_CD):
            break
        centres_CD = moved_CD
    return Clusters(centres_CD, *nearest_centre(vectors_SD, centres_CD))


def nearest_centre(vectors_SD: Vectors, centres_CD: Vectors) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Give for every vector the centre of the highest cosine, and that cosine."""
    of_S, cosine_S = np.zeros(len(vectors_SD), dtype=np.int64), np.zeros(len(vectors_SD), dtype=np.float32)
    for start in range(0, len(vectors_SD), CHUNK):
        part = slice(start, start + CHUNK)
        cosines_PC = vectors_SD[part] @ centres_CD.T
        of_S[part] = cosines_PC.argmax(axis=1)
        cosine_S[part] = cosines_PC.max(axis=1)
    return of_S, cosine_S


def _sums(vectors_SD: Vectors, of_S: NDArray[np.int64], count: int) -> Vectors:
    """Sum of the vectors of every cluster."""
    order = np.argsort(of_S, kind="stable")
    sizes = np.bincount(of_S, minlength=count)
    summed = np.zeros((count, vectors_SD.shape[1]), dtype=np.float32)
    starts = np.cumsum(sizes) - sizes
    summed[sizes > 0] = np.add.reduceat(vectors_SD[order], starts[sizes > 0], axis=0)
    return summed
