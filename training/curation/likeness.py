"""What is like something kept: candidates by shared bands, each compared for what it is, at the cost of what is asked.

Things are taken in their order: one that is like what is kept, or like an earlier one that is being kept, is refused.
What is refused leaves nothing behind.
"""

from abc import ABC, abstractmethod
from typing import Generic, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from .buckets import NONE, Buckets, Ints, Keys, Sieve, scattered

Things = TypeVar("Things", list[str], NDArray[np.float32])
"""Many things of a sort: texts, or the rows of a matrix."""
BLOCK = 2048
"""Things taken at a time; those among them that are all alike cost at most its square."""
Similarities = NDArray[np.float64]


class Match(NamedTuple):
    """The most similar of what is kept; of equally similar ones the one that was kept last."""

    place: int
    """Its number, in the order of keeping."""
    similarity: float


class Alike(NamedTuple):
    """Pairs that are as similar as it takes."""

    asked: Ints
    held: Ints
    similarities: Similarities


class Likeness(ABC, Generic[Things]):
    """What is kept, by number, and how to find what is like it."""

    def __init__(self, near: float, bands: int, sieve: Sieve | None = None) -> None:
        self.near = near
        self._buckets = Buckets(bands, sieve)
        self._kept = np.zeros(0, dtype=np.bool_)

    def __len__(self) -> int:
        return int(np.count_nonzero(self._kept))

    @property
    def places(self) -> int:
        """Numbers that were given so far."""
        return len(self._buckets)

    @abstractmethod
    def fresh(self) -> Self:
        """Give another one of the same settings that keeps nothing yet."""

    @abstractmethod
    def sign(self, things: Things) -> Keys:
        """Give a hash per thing and band; like things share one with a known chance."""

    @abstractmethod
    def compare(self, things: Things, asked: Ints, held: Ints) -> Similarities:
        """Give the similarity of pairs: positions in `things`, and numbers of what is held."""

    @abstractmethod
    def hold(self, things: Things) -> None:
        """Put things beside those held, to be compared with."""

    @abstractmethod
    def take(self, things: Things, positions: Ints) -> Things:
        """Give some of these."""

    def add(self, things: Things) -> None:
        """Keep things without looking."""
        self._keep(things, self.sign(things))

    def find(self, things: Things) -> list[Match | None]:
        """Say of each what that is kept it is most like, if it is like any."""
        found = self._like(things, self._buckets.find(self.sign(things)))
        return _matches(len(things), found)

    def admit(self, things: Things) -> list[Match | None]:
        """Keep what is like nothing that is kept by then; say of the others what they are most like."""
        keys_SB = self.sign(things)
        self._buckets.reserve(len(things))
        answers: list[Match | None] = []
        for start in range(0, len(things), BLOCK):
            block = slice(start, start + BLOCK)
            answers += self._admit(things[block], keys_SB[block])
        return answers

    def forget(self, place: int) -> None:
        """Keep something no longer."""
        self._kept[place] = False

    def _admit(self, block: Things, keys_SB: Keys) -> list[Match | None]:
        known = self._like(block, self._buckets.find(keys_SB))
        fresh = np.ones(len(block), dtype=np.bool_)
        fresh[known.asked] = False
        kept = self._choose(block, keys_SB, fresh)
        first = self.places
        self._keep(self.take(block, kept), keys_SB[kept])
        refused = np.delete(np.arange(len(block)), kept)
        asked, held = self._buckets.find(keys_SB[refused])
        asked, held = refused[asked[held >= first]], held[held >= first]
        earlier = kept[held - first] < asked
        within = self._like(block, (asked[earlier], held[earlier]))
        found = Alike(
            np.concatenate([known.asked, within.asked]),
            np.concatenate([known.held, within.held]),
            np.concatenate([known.similarities, within.similarities]),
        )
        return _matches(len(block), found)

    def _choose(self, block: Things, keys_SB: Keys, fresh: NDArray[np.bool_]) -> Ints:
        """Say which of a block are kept, of those that are like nothing kept before.

        What comes first in each of its bands is kept, since nothing before it is like it; what is like it is not. Both
        leave their bands, and so on. So things are compared with kept ones only, however many share a band.
        """
        of, band = _shared(keys_SB, fresh)
        open = fresh.copy()
        kept = fresh.copy()
        kept[of] = False
        while len(of):
            leader_of_band = np.zeros(int(band.max()) + 1, dtype=np.int64)
            leader_of_band[band[::-1]] = of[::-1]
            leader = leader_of_band[band]
            waiting = np.zeros(len(block), dtype=np.bool_)
            waiting[of[leader != of]] = True
            now = np.zeros(len(block), dtype=np.bool_)
            now[of] = ~waiting[of]
            kept |= now
            compared = now[leader] & (leader != of)
            asked, led = np.divmod(np.unique(of[compared] * len(block) + leader[compared]), len(block))
            like = self._compare_within(block, asked, led) >= self.near
            open[asked[like]] = False
            left = open[of] & ~now[of]
            of, band = of[left], band[left]
        return np.flatnonzero(kept)

    def _compare_within(self, block: Things, asked: Ints, held: Ints) -> Similarities:
        """Compare things of a block with each other."""
        own = self.fresh()
        places, held = np.unique(held, return_inverse=True)
        own.hold(self.take(block, places))
        return own.compare(block, asked, held)

    def _keep(self, things: Things, keys_SB: Keys) -> None:
        start = self.places
        self.hold(things)
        self._buckets.add(keys_SB)
        if (short := self.places - len(self._kept)) > 0:
            self._kept = np.concatenate([self._kept, np.zeros(max(short, len(self._kept)), dtype=np.bool_)])
        self._kept[start : self.places] = True

    def _like(self, things: Things, pairs: tuple[Ints, Ints]) -> Alike:
        """Those of these pairs that are similar enough, with something kept."""
        asked, held = pairs
        kept = self._kept[held]
        asked, held = asked[kept], held[kept]
        similarities = self.compare(things, asked, held)
        near = similarities >= self.near
        return Alike(asked[near], held[near], similarities[near])


def _shared(keys_SB: Keys, some: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Give which of some things share bands: things, in their order, and the number of a band each shares."""
    positions = np.flatnonzero(some)
    bands, keys = keys_SB.shape[1], scattered(keys_SB[positions].reshape(-1))
    place = np.uint64((1 << len(keys).bit_length()) - 1)
    # sorting numbers is several times as fast as sorting positions; it costs the last bits of the keys
    both = np.sort(keys & ~place | np.arange(len(keys), dtype=np.uint64))
    begins = np.ones(len(both) + 1, dtype=np.bool_)
    np.greater(both[1:] ^ both[:-1], place, out=begins[1:-1])
    shared = ~(begins[:-1] & begins[1:])
    entries, band = (both[shared] & place).astype(np.int64), begins[:-1].cumsum()[shared]
    order = np.argsort(entries)
    return positions[entries[order] // bands], band[order]


def _matches(count: int, found: Alike) -> list[Match | None]:
    """The best for each thing asked for."""
    place, similarity = np.full(count, NONE, dtype=np.int64), np.zeros(count)
    # the last that is written stays: the most similar, and of those the last that was kept
    order = np.lexsort((found.held, found.similarities))
    place[found.asked[order]] = found.held[order]
    similarity[found.asked[order]] = found.similarities[order]
    best: list[Match | None] = [None] * count
    for i in np.flatnonzero(place != NONE).tolist():
        best[i] = Match(int(place[i]), float(similarity[i]))
    return best
