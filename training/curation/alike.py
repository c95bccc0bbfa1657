"""Texts and vectors that are alike.

Texts: Jaccard similarity of character runs, candidates by MinHash. Vectors: cosine, candidates by random hyperplanes.
"""

from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ...memory.embedder import Vectors
from . import hyperplanes, minhash
from .buckets import Ints, Keys
from .jaccard import similarities
from .likeness import Likeness, Similarities

CHUNK = 8192
"""Pairs of vectors compared at a time."""


class Texts(Likeness[list[str]]):
    """Texts that are kept, each other than the rest."""

    def __init__(self, near: float) -> None:
        super().__init__(near, minhash.bands(near))
        self._texts: list[str] = []

    def fresh(self) -> Self:
        """Give another one of the same threshold that keeps nothing yet."""
        return type(self)(self.near)

    def sign(self, things: list[str]) -> Keys:
        """Give the bands of their signatures."""
        return minhash.keys(things, self._buckets.bands)

    def compare(self, things: list[str], asked: Ints, held: Ints) -> Similarities:
        """Compare texts for what they are."""
        texts = [*(things[i] for i in asked.tolist()), *(self._texts[i] for i in held.tolist())]
        return similarities(texts, np.arange(len(asked)), np.arange(len(asked), len(texts)))

    def hold(self, things: list[str]) -> None:
        """Remember texts."""
        self._texts += things

    def take(self, things: list[str], positions: Ints) -> list[str]:
        """Give some of these."""
        return [things[i] for i in positions.tolist()]


class Directions(Likeness[NDArray[np.float32]]):
    """Vectors that are kept, each pointing elsewhere."""

    def __init__(self, near: float, dimensions: int) -> None:
        self.dimensions = dimensions
        bands = hyperplanes.bands(near)
        super().__init__(near, bands, hyperplanes.sieve(near, bands))
        self._rows_SD = np.zeros((0, dimensions), dtype=np.float32)

    @cached_property
    def _planes_DP(self) -> NDArray[np.float32]:
        # costs as much as a thousand vectors, and those that only compare never sign
        return hyperplanes.planes(self.dimensions, self._buckets.bands)

    def fresh(self) -> Self:
        """Give another one of the same settings that keeps nothing yet."""
        return type(self)(self.near, self.dimensions)

    def sign(self, things: Vectors) -> Keys:
        """Give the sides of hyperplanes that they are on."""
        return hyperplanes.keys(things, self._planes_DP, self._buckets.bands)

    def compare(self, things: Vectors, asked: Ints, held: Ints) -> Similarities:
        """Give cosines."""
        found = np.zeros(len(asked))
        for start in range(0, len(asked), CHUNK):
            part = slice(start, start + CHUNK)
            found[part] = np.einsum("pd,pd->p", things[asked[part]], self._rows_SD[held[part]])
        return found

    def hold(self, things: Vectors) -> None:
        """Remember rows."""
        start, end = self.places, self.places + len(things)
        if (short := end - len(self._rows_SD)) > 0:
            more = np.empty((max(short, len(self._rows_SD)), self.dimensions), dtype=np.float32)
            self._rows_SD = np.concatenate([self._rows_SD, more])
        self._rows_SD[start:end] = things

    def take(self, things: Vectors, positions: Ints) -> Vectors:
        """Give some of these."""
        return things[positions]
