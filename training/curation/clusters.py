"""Samples that are near each other, by k-means on their vectors; distances are matrix products, never a loop."""

from dataclasses import dataclass

import numpy as np

from ...memory.embedder import Vectors
from .pool import Indices

CHUNK = 1 << 14
"""Vectors compared with all centres at once."""
SEEDED = 20
"""Vectors for each centre from which the first centres are drawn."""
ROUNDS = 25
"""Times that centres are moved at most."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """Which cluster every sample is in."""

    of_S: Indices
    centres_KD: Vectors
    """Means of their members; none is empty."""

    def nearest(self, vectors_SD: Vectors, count: int) -> Indices:
        """Give positions of at most `count` members of each cluster, those nearest to its centre, by cluster."""
        far_S = ((vectors_SD - self.centres_KD[self.of_S]) ** 2).sum(1)
        order = np.lexsort((np.arange(len(far_S)), far_S, self.of_S))
        starts_K = np.searchsorted(self.of_S[order], np.arange(len(self.centres_KD)))
        rank_S = np.arange(len(order)) - starts_K[self.of_S[order]]
        return order[rank_S < count].astype(np.int64)


def cluster(vectors_SD: Vectors, count: int, *, seed: int) -> Clusters:
    """Part vectors into at most `count` clusters, fewer where there are fewer different ones.

    Args:
        vectors_SD: at least one, in an order that is not the pool's.
        count: clusters wanted.
        seed: draws the first centres, each the likelier the farther it is from those before (k-means++, Arthur and
            Vassilvitskii 2007), among a sample of the vectors.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(vectors_SD), min(len(vectors_SD), SEEDED * count), replace=False)
    centres_KD = _first(vectors_SD[drawn], count, rng)
    of_S = assign(vectors_SD, centres_KD)
    for _ in range(ROUNDS):
        centres_KD = _means(vectors_SD, of_S)
        moved_S = assign(vectors_SD, centres_KD)
        if np.array_equal(moved_S, of_S):
            break
        of_S = moved_S
    kept, of_S = np.unique(of_S, return_inverse=True)
    return Clusters(of_S.astype(np.int64), centres_KD[kept])


def assign(vectors_SD: Vectors, centres_KD: Vectors) -> Indices:
    """Give the nearest centre of every vector."""
    half_K = (centres_KD**2).sum(1) / 2
    parts = [
        np.argmax(vectors_SD[at : at + CHUNK] @ centres_KD.T - half_K, axis=1)
        for at in range(0, len(vectors_SD), CHUNK)
    ]
    return np.concatenate(parts).astype(np.int64)


def _first(vectors_SD: Vectors, count: int, rng: np.random.Generator) -> Vectors:
    chosen = [int(rng.integers(len(vectors_SD)))]
    far_S = ((vectors_SD - vectors_SD[chosen[0]]) ** 2).sum(1, dtype=np.float64)
    while len(chosen) < count and far_S.any():
        chosen.append(int(rng.choice(len(vectors_SD), p=far_S / far_S.sum())))
        far_S = np.minimum(far_S, ((vectors_SD - vectors_SD[chosen[-1]]) ** 2).sum(1, dtype=np.float64))
    return vectors_SD[chosen]


def _means(vectors_SD: Vectors, of_S: Indices) -> Vectors:
    """Mean of every cluster that has members."""
    order = np.argsort(of_S, kind="stable")
    _, starts, sizes = np.unique(of_S[order], return_index=True, return_counts=True)
    return (np.add.reduceat(vectors_SD[order], starts, axis=0) / sizes[:, None]).astype(vectors_SD.dtype)
