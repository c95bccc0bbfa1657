"""Hashes of vectors that agree as often as the vectors point the same way.

Two vectors lie on the same side of a random hyperplane with chance 1 − angle/π. A band is `SIDES` of them.

Source: Charikar 2002, *Similarity estimation techniques from rounding algorithms*.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ...memory.embedder import Vectors
from .buckets import Keys, Sieve
from .minhash import RECALL

SIDES = 20
"""Hyperplanes a band: one in a million of unrelated vectors shares a band."""
MOST = 256
"""Bands at the most; thresholds that would take more, below 0.81, find fewer than `RECALL` at the threshold."""
SIEVE = 16
"""Bands at the most whose sides are counted before vectors are compared: a twelfth of what a vector of 384 takes."""
DEVIATIONS = 5
"""Standard deviations above the expected count that are let through: it costs one in a million at the threshold."""
CHUNK = 4096
"""Vectors at a time."""


def bands(near: float) -> int:
    """Give how many bands find vectors with this cosine or more, with chance `RECALL` or more."""
    agree = (1 - _apart(near)) ** SIDES
    return 1 if agree >= RECALL else min(MOST, math.ceil(math.log(1 - RECALL) / math.log1p(-agree)))


def planes(dimensions: int, bands: int) -> NDArray[np.float32]:
    """Give the hyperplanes of some bands, a normal a column."""
    return np.random.default_rng(4).standard_normal((dimensions, bands * SIDES), dtype=np.float32)


def sieve(near: float, bands: int) -> Sieve:
    """Give how many bands to count sides in, and in how many sides vectors as near as this differ at the most.

    The count is binomial, the chance that of one hyperplane. Those that share a band differ less.
    """
    counted = min(bands, SIEVE)
    sides, apart = counted * SIDES, _apart(near)
    return Sieve(counted, math.ceil(sides * apart + DEVIATIONS * math.sqrt(sides * apart * (1 - apart))))


def keys(rows_SD: Vectors, planes_DP: NDArray[np.float32], bands: int) -> Keys:
    """One number for every band of sides."""
    weights = np.uint64(1) << np.arange(SIDES, dtype=np.uint64)
    made = np.empty((len(rows_SD), bands), dtype=np.uint64)
    for start in range(0, len(rows_SD), CHUNK):
        part = slice(start, start + CHUNK)
        sides_SBP = (rows_SD[part] @ planes_DP > 0).reshape(-1, bands, SIDES)
        made[part] = sides_SBP.astype(np.float32) @ weights.astype(np.float32)
    return made | (np.arange(bands, dtype=np.uint64) << np.uint64(SIDES))


def _apart(near: float) -> float:
    """Chance that a hyperplane is between two vectors of this cosine."""
    return math.acos(min(1.0, max(-1.0, near))) / math.pi
