"""A few samples that stand for many: clusters that start far apart, and the members next to each centre."""

import numpy as np

from ...memory.embedder import Vectors
from .clusters import Clusters
from .pool import Indices

SEEDED = 20
"""Vectors for each centre from which the first centres are drawn."""


def far_apart(vectors_SD: Vectors, count: int, *, seed: int) -> Vectors:
    """Draw vectors, each the likelier the farther it is from those before; fewer where there are fewer different ones.

    Where clusters are few, centres that start next to each other leave several groups to one cluster.

    Args:
        vectors_SD: at least one.
        count: vectors wanted, at least 1.
        seed: draws them.

    Source: k-means++, Arthur and Vassilvitskii 2007; here among a sample of the vectors.
    """
    rng = np.random.default_rng(seed)
    some = rng.choice(len(vectors_SD), min(len(vectors_SD), SEEDED * count), replace=False)
    drawn_SD = vectors_SD[some]
    chosen = [int(rng.integers(len(drawn_SD)))]
    far_S = ((drawn_SD - drawn_SD[chosen[0]]) ** 2).sum(1, dtype=np.float64)
    while len(chosen) < count and far_S.any():
        chosen.append(int(rng.choice(len(drawn_SD), p=far_S / far_S.sum())))
        far_S = np.minimum(far_S, ((drawn_SD - drawn_SD[chosen[-1]]) ** 2).sum(1, dtype=np.float64))
    return drawn_SD[chosen]


def nearest(clusters: Clusters, count: int) -> Indices:
    """Give positions of at most `count` members of each cluster, the highest cosines first, cluster after cluster."""
    order = np.lexsort((np.arange(len(clusters.of_S)), -clusters.cosine_S, clusters.of_S))
    starts_C = np.searchsorted(clusters.of_S[order], np.arange(len(clusters.centres_CD)))
    rank_S = np.arange(len(order)) - starts_C[clusters.of_S[order]]
    return order[rank_S < count].astype(np.int64)
