"""Clusters of a pool, and what a cluster is worth."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .clusters import k_means
from .pool import Pool, Scores


class Groups(NamedTuple):
    """Which cluster every sample belongs to, in the order of the ids."""

    of_S: NDArray[np.int64]
    cosine_S: NDArray[np.float32]
    """Cosine to the cluster's centre."""
    means_C: Scores
    """Mean score of each cluster, none of which is empty."""


def grouped(pool: Pool, scores_S: Scores, clusters: int, *, seed: int) -> Groups:
    """Cluster the vectors of a pool of at least one sample; 0 clusters stand for the square root of its size."""
    found = k_means(pool.vectors_SD[pool.by_id], clusters or math.isqrt(len(pool)), seed=seed)
    _, of_S = np.unique(found.of_S, return_inverse=True)
    sums_C = np.bincount(of_S, weights=scores_S[pool.by_id])
    return Groups(of_S.astype(np.int64), found.cosine_S, sums_C / np.bincount(of_S))
