"""Who is like whom: the nearest of every vector, by matrix products.

Vectors are grouped first, and a group is compared with the groups nearest to it, so that a vector costs the same
however many there are; where there are few, all are compared.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...memory.embedder import Vectors
from .clusters import k_means

GROUP = 256
"""Vectors in a group, on average."""
COMPARED = 4
"""Groups that a group is compared with, itself among them; more where more neighbours are wanted."""
ITERATIONS = 3
"""Rounds of grouping."""
EXACT = 2048
"""Vectors up to which all are compared."""


class Graph(NamedTuple):
    """Links of every vector, in no order."""

    to_SK: NDArray[np.int64]
    """Positions of the nearest, its own among them; -1 where there are no more."""
    cosine_SK: NDArray[np.float32]
    """Their cosines, from 0 to 1; 0 where there are no more."""


def nearest(vectors_SD: Vectors, count: int, *, seed: int) -> Graph:
    """Give the nearest of every vector, itself among them.

    Args:
        vectors_SD: rows of length 1.
        count: links wanted for each.
        seed: groups vectors; has no part in it where all are compared.
    """
    count = min(count, len(vectors_SD))
    to_SK = np.full((len(vectors_SD), count), -1, dtype=np.int64)
    cosine_SK = np.zeros((len(vectors_SD), count), dtype=np.float32)
    for own, others in _compared(vectors_SD, count, seed=seed):
        cosines_GO = vectors_SD[own] @ vectors_SD[others].T
        # rounding must not put another one of the same direction in its own place
        cosines_GO[own[:, None] == others] = 2
        kept = min(count, len(others))
        best = np.argpartition(-cosines_GO, kept - 1, axis=1)[:, :kept]
        to_SK[own, :kept] = others[best]
        cosine_SK[own, :kept] = np.clip(np.take_along_axis(cosines_GO, best, axis=1), 0, 1)
    return Graph(to_SK, cosine_SK)


def _compared(vectors_SD: Vectors, count: int, *, seed: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Give pairs of positions: those compared, and those they are compared with."""
    everybody = np.arange(len(vectors_SD))
    if len(vectors_SD) <= max(EXACT, COMPARED * count):
        return [(part, everybody) for part in np.array_split(everybody, max(1, len(vectors_SD) // GROUP)) if len(part)]
    clusters = k_means(vectors_SD, len(vectors_SD) // GROUP, seed=seed, iterations=ITERATIONS)
    members = [*clusters.members()]
    compared = min(len(members), max(COMPARED, 2 * count // GROUP))
    cosines_CC = clusters.centres_CD @ clusters.centres_CD.T
    near_CC = np.argpartition(-cosines_CC, compared - 1, axis=1)[:, :compared]
    return [
        (own, np.sort(np.concatenate([own, *(members[c] for c in near if c != which)])))
        for which, (own, near) in enumerate(zip(members, near_CC, strict=True))
        if len(own)
    ]
