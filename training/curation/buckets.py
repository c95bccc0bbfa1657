"""Which of many things share a band of hashes: locality-sensitive hashing that grows.

Things are numbered in the order they were added. All bands live in one table of chained entries; adding and looking up
are array operations whose cost is that of the things at hand, however many the table holds. Doubling the table is paid
for by what was added since the last time.

Source: Indyk & Motwani 1998, *Approximate nearest neighbors*; Leskovec, Rajaraman and Ullman, *Mining of Massive
Datasets*, section 3.4 (banding).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
"""One hash per thing and band, `keys_SB`; things that agree in one are a pair."""
Ints = NDArray[np.int64]
SMALLEST = 1 << 10
"""Slots of an empty table; a power of two, as every size is."""
NONE = -1
CHUNK = 1 << 14
"""Pairs compared at a time: few enough to stay in cache."""
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
_ENTRY = 32
"""Bits for the number of an entry."""


class Pairs(NamedTuple):
    """Things asked for and things held that share a band; each pair once, sorted."""

    asked: Ints
    held: Ints


class Sieve(NamedTuple):
    """What a pair must have in common to be worth comparing, beyond a band."""

    bands: int
    """The first so many of its hashes are looked at."""
    most: int
    """Bits of them that may differ."""


class Buckets:
    """An open table."""

    def __init__(self, bands: int, sieve: Sieve | None = None) -> None:
        self.bands = bands
        self._sieve = sieve
        self._count = 0
        self._keys = np.zeros(SMALLEST, dtype=np.uint64)
        self._before = np.full(SMALLEST, NONE, dtype=np.int32)
        self._last = np.full(SMALLEST, NONE, dtype=np.int32)

    def __len__(self) -> int:
        return self._count // self.bands

    def reserve(self, things: int) -> None:
        """Make room for so many more things at once."""
        count = self._count + things * self.bands
        if count <= len(self._keys):
            return
        size = 1 << (count - 1).bit_length()
        self._keys = np.concatenate([self._keys, np.zeros(size - len(self._keys), dtype=np.uint64)])
        self._before = np.full(size, NONE, dtype=np.int32)
        self._last = np.full(size, NONE, dtype=np.int32)
        self._chain(0)

    def add(self, keys_SB: Keys) -> None:
        """Hold more things."""
        self.reserve(len(keys_SB))
        start, self._count = self._count, self._count + keys_SB.size
        self._keys[start : self._count] = keys_SB.reshape(-1)
        self._chain(start)

    def find(self, keys_QB: Keys) -> Pairs:
        """Give everything held that shares a band with one of these, and passes the sieve if there is one."""
        keys = keys_QB.reshape(-1)
        entries = self._last[self._slots(keys)].astype(np.int64)
        asked = np.arange(len(keys), dtype=np.int64) // self.bands
        found: list[Ints] = []
        while len(on := np.flatnonzero(entries != NONE)):
            entries, keys, asked = entries[on], keys[on], asked[on]
            same = self._keys[entries] == keys
            ask, hold = asked[same], entries[same] // self.bands
            if self._sieve is not None:
                agree = self._agree(keys_QB, ask, hold, self._sieve)
                ask, hold = ask[agree], hold[agree]
            found.append(ask * max(1, len(self)) + hold)
            entries = self._before[entries].astype(np.int64)
        pairs = np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
        return Pairs(*np.divmod(pairs, max(1, len(self))))

    def _agree(self, keys_QB: Keys, asked: Ints, held: Ints, sieve: "Sieve") -> NDArray[np.bool_]:
        """Say which pairs pass a sieve."""
        asked_QB, held_SB = (
            keys[:, : sieve.bands] for keys in (keys_QB, self._keys[: self._count].reshape(-1, self.bands))
        )
        agree = np.empty(len(asked), dtype=np.bool_)
        for start in range(0, len(asked), CHUNK):
            part = slice(start, start + CHUNK)
            differing = np.bitwise_count(asked_QB[asked[part]] ^ held_SB[held[part]])
            agree[part] = differing.sum(axis=1, dtype=np.int64) <= sieve.most
        return agree

    def _slots(self, keys: Keys) -> Ints:
        return ((scattered(keys) >> _HALF) & np.uint64(len(self._last) - 1)).astype(np.int64)

    def _chain(self, start: int) -> None:
        """Put entries from `start` on at the ends of their slots' chains."""
        if start == self._count:
            return
        slots = self._slots(self._keys[start : self._count])
        # sorting numbers is several times as fast as sorting positions
        both = np.sort(slots << _ENTRY | np.arange(start, self._count, dtype=np.int64))
        sorted_slots, entries = both >> _ENTRY, (both & (1 << _ENTRY) - 1).astype(np.int32)
        first = np.ones(len(entries), dtype=np.bool_)
        np.not_equal(sorted_slots[1:], sorted_slots[:-1], out=first[1:])
        before = np.empty_like(entries)
        before[1:] = entries[:-1]
        before[first] = self._last[sorted_slots[first]]
        self._before[entries] = before
        last = np.append(first[1:], True)
        self._last[sorted_slots[last]] = entries[last]


def scattered(keys: Keys) -> Keys:
    """Give other keys, as distinct as these, whose first bits are as good as any."""
    return keys * _GOLDEN
