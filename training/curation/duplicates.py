"""Exact and near duplicates of what is already kept.

Exact: the same canonical task. Near, for prose only: estimated Jaccard similarity of character 3-grams, by MinHash
with banding (`rensa`), so that a new sample costs the same however many are kept.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import rensa

from ...memory.records import Sample
from .text import normal, shingles

PERMUTATIONS = 128
BANDS = 16
"""Of 8 rows: similarity 0.85 is found with probability 0.99, 0.5 with 0.06; the estimate then decides."""


class Collision(NamedTuple):
    """What a sample is a duplicate of."""

    reason: str
    sample: str


class Duplicates:
    """What is kept so far, to compare with."""

    def __init__(self, *, near: float, prose: bool) -> None:
        self.near = near
        self.prose = prose
        self._keys: dict[str, str] = {}
        self._ids: list[str] = []
        self._hashes: list[Any] = []
        self._bands: Any = rensa.RMinHashLSH(near, PERMUTATIONS, BANDS)  # pyright: ignore[reportAttributeAccessIssue] -- compiled, without stubs

    def find(self, sample: Sample) -> Collision | None:
        """Give what this sample duplicates, or None."""
        if (same := self._keys.get(sample.task.key)) is not None:
            return Collision("the same task is already kept", same)
        if not self.prose:
            return None
        own = _minhash(sample)
        best = max(((own.jaccard(self._hashes[i]), i) for i in self._bands.query(own)), default=(0.0, -1))
        if best[0] >= self.near:
            return Collision(f"near duplicate, similarity {best[0]:.2f}", self._ids[best[1]])
        return None

    def add(self, samples: Iterable[Sample]) -> None:
        """Keep samples."""
        for sample in samples:
            self._keys[sample.task.key] = sample.id
            if self.prose:
                own = _minhash(sample)
                self._bands.insert(len(self._ids), own)
                self._ids.append(sample.id)
                self._hashes.append(own)


def _minhash(sample: Sample) -> Any:
    made: Any = rensa.RMinHash(num_perm=PERMUTATIONS, seed=1)  # pyright: ignore[reportAttributeAccessIssue] -- as above
    made.update(sorted(shingles(normal(sample.task.prompt), 3)))
    return made
