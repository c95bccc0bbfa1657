"""How densely vectors lie, from a summary of them whose size does not grow with their number.

A summary is made in one pass and asked in a second. Summaries of the same form add up: the one of all rounds is the sum
of one per round, so a round costs its own size.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ...memory.embedder import Vectors

Floats = NDArray[np.float64]
CHUNK = 4096
"""Vectors projected at a time: their projections stay below 100 MiB."""
SAMPLE = 1000
"""Vectors of which the bandwidth is taken."""
NEAR = 0.05
"""Share of pairs that are nearer than twice the bandwidth; what lies about the median is unrelated to most things."""
EQUAL = 1e-6
"""Squared distance that rounding may give equal vectors."""
BUCKETS = 4096
"""Counters of a row, a power of two; few against the collisions that they add, which are taken off again."""
POWER = 8
"""Hash functions that must agree for a collision: more make a kernel that falls off faster, for a projection each."""
HALF = 13.66
"""Width of a hash function's cells in bandwidths, at which the kernel of `POWER` functions is exp(-1/2) at the distance
of one bandwidth, as the Gaussian one is."""


class Form(NamedTuple):
    """What two summaries must share to be added."""

    dimensions: int
    bandwidth: float
    """Distance at which the kernel is exp(-1/2)."""
    projections: int
    """Directions that a vector is projected on: what accuracy costs."""
    seed: int
    """Of the directions."""


class Sketch(ABC):
    """A summary of vectors."""

    def __init__(self, form: Form, sums: Floats | None = None, count: int = 0) -> None:
        """Begin one.

        Args:
            form: its form; the same seed gives the same random projections.
            sums: of what was added before.
            count: of vectors that was.
        """
        self.form = form
        self.sums = np.zeros(self._shape(form)) if sums is None else sums
        self.count = count

    def added(self, vectors_SD: Vectors) -> Self:
        """Give a summary that holds these as well."""
        sums = self.sums.copy()
        for start in range(0, len(vectors_SD), CHUNK):
            self._add(vectors_SD[start : start + CHUNK], sums)
        return type(self)(self.form, sums, self.count + len(vectors_SD))

    def merged(self, other: Self) -> Self:
        """Give the summary of all that both hold.

        Raises:
            ValueError: they have not the same form.
        """
        if self.form != other.form:
            raise ValueError(f"a sketch of {other.form} cannot be added to one of {self.form}")
        return type(self)(self.form, self.sums + other.sums, self.count + other.count)

    def density(self, vectors_SD: Vectors) -> Floats:
        """Mean kernel of each to all that is held, in [0, 1]; nothing below what the summary can tell from 0.

        Args:
            vectors_SD: any vectors.
        """
        parts = [self._ask(vectors_SD[start : start + CHUNK]) for start in range(0, len(vectors_SD), CHUNK)]
        found = np.concatenate(parts) if parts else np.zeros(0)
        return np.clip(found, self._noise(), 1.0)

    @staticmethod
    @abstractmethod
    def _shape(form: Form) -> tuple[int, ...]: ...

    @abstractmethod
    def _add(self, vectors_SD: Vectors, sums: Floats) -> None: ...

    @abstractmethod
    def _ask(self, vectors_SD: Vectors) -> Floats: ...

    @abstractmethod
    def _noise(self) -> float: ...


class Hashes(Sketch):
    """Counts how many vectors fall into the same cell of random partitions as another one (RACE).

    Its kernel is the chance that all functions of a row agree, which falls off as exp(-distance) rather than as a
    Gaussian. It is never off by much, and far-off vectors are never told from each other by much.

    Source: Coleman & Shrivastava 2020, https://arxiv.org/abs/1912.02283; the functions are p-stable ones of Datar et
    al. 2004, https://doi.org/10.1145/997817.997857.
    """

    @staticmethod
    def _shape(form: Form) -> tuple[int, ...]:
        return max(1, form.projections // POWER), BUCKETS

    @cached_property
    def _functions(self) -> tuple[Vectors, Vectors, NDArray[np.uint32]]:
        rng = np.random.default_rng(self.form.seed)
        count = len(self.sums) * POWER
        directions_DF = rng.standard_normal((self.form.dimensions, count), dtype=np.float32)
        directions_DF /= np.float32(HALF * self.form.bandwidth)
        odd_F = rng.integers(0, 2**31, size=count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
        return directions_DF, rng.random(count, dtype=np.float32), odd_F

    def _cells(self, vectors_SD: Vectors) -> NDArray[np.int64]:
        """Places of counters, one a row: what the functions say, mixed into one number."""
        directions_DF, offsets_F, odd_F = self._functions
        cells_SF = np.floor(vectors_SD @ directions_DF + offsets_F).astype(np.int32).view(np.uint32) * odd_F
        mixed_SR = cells_SF.reshape(len(vectors_SD), len(self.sums), POWER).sum(axis=2, dtype=np.uint32)
        mixed_SR ^= mixed_SR >> np.uint32(16)
        mixed_SR *= np.uint32(0x9E3779B1)
        return (mixed_SR >> np.uint32(16)).astype(np.int64) % BUCKETS + np.arange(len(self.sums)) * BUCKETS

    def _add(self, vectors_SD: Vectors, sums: Floats) -> None:
        sums += np.bincount(self._cells(vectors_SD).ravel(), minlength=sums.size).reshape(sums.shape)

    def _ask(self, vectors_SD: Vectors) -> Floats:
        if not self.count:
            return np.zeros(len(vectors_SD))
        shared_S = self.sums.ravel()[self._cells(vectors_SD)].mean(axis=1) / self.count
        # what shares a counter by chance alone is taken off
        return (shared_S - 1 / BUCKETS) / (1 - 1 / BUCKETS)

    def _noise(self) -> float:
        return 0.0


class Waves(Sketch):
    """Sums up random waves, of which the Gaussian kernel is made (random Fourier features).

    Its kernel falls off fast, so that neighbours and strangers are told apart where many dimensions make distances
    alike; of vectors that are nearly alone it can only say that they are.

    Source: Rahimi & Recht 2007, *Random Features for Large-Scale Kernel Machines*; directions are made orthogonal,
    which lowers the error (Yu et al. 2016, https://arxiv.org/abs/1610.09072).
    """

    @staticmethod
    def _shape(form: Form) -> tuple[int, ...]:
        return 2, form.projections

    @cached_property
    def _directions_DF(self) -> Vectors:
        rng, size = np.random.default_rng(self.form.seed), self.form.dimensions
        blocks = [np.linalg.qr(rng.standard_normal((size, size)))[0] for _ in range(-(-self.form.projections // size))]
        lengths_F = np.sqrt(rng.chisquare(size, self.form.projections))
        directions_DF = np.concatenate(blocks, axis=1)[:, : self.form.projections] * lengths_F
        return (directions_DF / self.form.bandwidth).astype(np.float32)

    def _add(self, vectors_SD: Vectors, sums: Floats) -> None:
        for part, waves_SF in enumerate(self._waves(vectors_SD)):
            sums[part] += waves_SF.sum(axis=0, dtype=np.float64)

    def _ask(self, vectors_SD: Vectors) -> Floats:
        if not self.count:
            return np.zeros(len(vectors_SD))
        means = (self.sums / (self.count * self.form.projections)).astype(np.float32)
        found = [waves_SF @ means[part] for part, waves_SF in enumerate(self._waves(vectors_SD))]
        return (found[0] + found[1]).astype(np.float64)

    def _waves(self, vectors_SD: Vectors) -> Iterator[Vectors]:
        phases_SF = vectors_SD @ self._directions_DF
        yield np.cos(phases_SF)
        yield np.sin(phases_SF)

    def _noise(self) -> float:
        """Standard deviation of the density of a vector that is near nothing."""
        if not self.count:
            return 0.0
        return float(np.sqrt((self.sums**2).sum() / 2) / (self.count * self.form.projections))


Kind = Literal["waves", "hashes"]
SKETCHES: Mapping[Kind, type[Sketch]] = {"hashes": Hashes, "waves": Waves}
"""Every kind of summary by name."""


def bandwidth(vectors_SD: Vectors, *, seed: int) -> float:
    """Half the distance within which a twentieth of all pairs lie, equal vectors aside; 1 where all are equal.

    Args:
        vectors_SD: in an order that does not depend on chance.
        seed: of the sample of vectors that is looked at.
    """
    rng = np.random.default_rng(seed)
    few = vectors_SD[rng.permutation(len(vectors_SD))[:SAMPLE]].astype(np.float64)
    norms = (few**2).sum(axis=1)
    squares = (norms[:, None] + norms - 2 * few @ few.T)[np.triu_indices(len(few), 1)]
    apart = squares[squares > EQUAL]
    return float(np.sqrt(np.quantile(apart, NEAR)) / 2) if apart.size else 1.0
