"""Exact and near duplicates of what is already kept.

Exact: the same canonical task. Near, for prose only: Jaccard similarity of character 3-grams. MinHash with banding
(`rensa`) proposes candidates, so that a new sample costs the same however many are kept; the similarity of a
candidate is then worked out from the texts.
"""

from collections.abc import Iterable, KeysView
from typing import Any, NamedTuple

import rensa

from ...memory.records import Sample
from ...scenarios.text import normal
from .grams import shingles

PERMUTATIONS = 128
RECALL = 0.95
"""Chance, at the least, that a pair exactly as similar as the threshold is proposed; more similar ones are likelier."""
CHARACTERS = 3
"""Length of the character runs that are compared."""


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
        self._texts: list[str] = []
        self._gone: set[str] = set()
        self._bands: Any = rensa.RMinHashLSH(near, PERMUTATIONS, bands(near))  # pyright: ignore[reportAttributeAccessIssue] -- compiled, without stubs

    @property
    def keys(self) -> KeysView[str]:
        """Keys of the tasks that are kept."""
        return self._keys.keys()

    def find(self, sample: Sample) -> Collision | None:
        """Give what this sample duplicates, or None."""
        if (same := self._keys.get(sample.task.key)) is not None:
            return Collision("the same task is already kept", same)
        if not self.prose:
            return None
        text = normal(sample.task.own)
        own = shingles(text, CHARACTERS)
        best = max(((self._similarity(own, i), i) for i in self._near(text)), default=(0.0, -1))
        if best[0] >= self.near:
            return Collision(f"near duplicate, similarity {best[0]:.2f}", self._ids[best[1]])
        return None

    def add(self, samples: Iterable[Sample]) -> None:
        """Keep samples."""
        for sample in samples:
            self._keys[sample.task.key] = sample.id
            self._gone.discard(sample.id)
            if self.prose:
                text = normal(sample.task.own)
                self._bands.insert(len(self._ids), _minhash(text))
                self._ids.append(sample.id)
                self._texts.append(text)

    def discard(self, samples: Iterable[Sample]) -> None:
        """Keep samples no longer."""
        for sample in samples:
            if self._keys.get(sample.task.key) == sample.id:
                del self._keys[sample.task.key]
                self._gone.add(sample.id)

    def _near(self, text: str) -> list[int]:
        """Where texts stand that may be like this one."""
        return [i for i in self._bands.query(_minhash(text)) if self._ids[i] not in self._gone]

    def _similarity(self, own: set[str], kept: int) -> float:
        other = shingles(self._texts[kept], CHARACTERS)
        return len(own & other) / len(own | other)


def bands(near: float) -> int:
    """Fewest bands that propose a pair of this similarity with the wanted chance; a power of two.

    Rows within a band must all agree, one band suffices: 1 - (1 - s**rows)**bands (Leskovec, Rajaraman and Ullman,
    *Mining of Massive Datasets*, section 3.4).
    """
    count = 1
    while count < PERMUTATIONS and 1 - (1 - near ** (PERMUTATIONS // count)) ** count < RECALL:
        count *= 2
    return count


def _minhash(text: str) -> Any:
    made: Any = rensa.RMinHash(num_perm=PERMUTATIONS, seed=1)  # pyright: ignore[reportAttributeAccessIssue] -- as above
    made.update(sorted(shingles(text, CHARACTERS)))
    return made
