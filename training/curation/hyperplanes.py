"""Hashes of vectors that agree as often as the vectors point the same way.

Two vectors lie on the same side of a random hyperplane with chance 1 − angle/π. A band is `SIDES` of them.

Source: Charikar 2002, *Similarity estimation techniques from rounding algorithms*.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ...memory.embedder import Vectors
from .buckets import Keys
from .minhash import RECALL

SIDES = 20
"""Hyperplanes a band: one in a million of unrelated vectors shares a band."""
MOST = 256
"""Bands at the most; thresholds that would take more, below 0.81, find fewer than `RECALL` at the threshold."""
CHUNK = 4096
"""Vectors at a time."""


def planes(near: float, dimensions: int) -> tuple[NDArray[np.float32], int]:
    """Give hyperplanes, one a column, and how many bands they make.

    Args:
        near: cosine from which two vectors are to be found, with chance `RECALL` or more.
        dimensions: length of a vector.
    """
    agree = (1 - math.acos(min(1.0, max(-1.0, near))) / math.pi) ** SIDES
    bands = 1 if agree >= RECALL else min(MOST, math.ceil(math.log(1 - RECALL) / math.log1p(-agree)))
    normals = np.random.default_rng(4).standard_normal((dimensions, bands * SIDES), dtype=np.float32)
    return normals, bands


def keys(rows_SD: Vectors, planes_DP: NDArray[np.float32], bands: int) -> Keys:
    """One number for every band of sides."""
    weights = np.uint64(1) << np.arange(SIDES, dtype=np.uint64)
    made = np.empty((len(rows_SD), bands), dtype=np.uint64)
    for start in range(0, len(rows_SD), CHUNK):
        part = slice(start, start + CHUNK)
        sides_SBP = (rows_SD[part] @ planes_DP > 0).reshape(-1, bands, SIDES)
        made[part] = sides_SBP.astype(np.float32) @ weights.astype(np.float32)
    return made | (np.arange(bands, dtype=np.uint64) << np.uint64(SIDES))
