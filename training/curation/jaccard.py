"""How alike two texts really are: the Jaccard similarity of their runs of characters, for many pairs at once."""

import numpy as np
from numpy.typing import NDArray

from .buckets import Ints
from .minhash import CHARACTERS, written

CHUNK = 256
"""Pairs at a time, at most; they are taken by length, so that little is padding."""
ROOM = 1 << 20
"""Pairs at a time times the characters of the longest text, unless one pair alone is more: its memory is a few tens of
bytes for each."""
NARROW, WIDE = 10, 21
"""Bits of a character: three fit into 32 bits where no number is above 1023, and any three into 64."""
Codes = NDArray[np.uint32 | np.uint64]


def similarities(texts: list[str], left: Ints, right: Ints) -> NDArray[np.float64]:
    """Give |A ∩ B| / |A ∪ B| of every pair of texts, exactly.

    Args:
        texts: what `left` and `right` are positions in.
        left: one of each pair.
        right: the other.
    """
    found = np.zeros(len(left), dtype=np.float64)
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    longest = np.maximum(lengths[left], lengths[right])
    order = np.argsort(longest, kind="stable")
    start = 0
    while start < len(order):
        part = order[start : start + CHUNK]
        fits = np.arange(1, len(part) + 1) * longest[part] <= ROOM
        part = part[: max(1, np.count_nonzero(fits))]
        start += len(part)
        both = [texts[i] for i in np.concatenate([left[part], right[part]]).tolist()]
        found[part] = _similar(both)
    return found


def _similar(texts: list[str]) -> NDArray[np.float64]:
    """Compare each of the first half with its partner in the second."""
    ones_PC, others_PC = np.split(_codes(texts), 2)
    # one sort for all three: a run that both texts have stands twice, with the last bit and without
    sorted_PC = np.concatenate([ones_PC, others_PC | others_PC.dtype.type(1)], axis=1)
    sorted_PC.sort(axis=1)
    apart_PC = sorted_PC[:, 1:] ^ sorted_PC[:, :-1]
    either = np.count_nonzero(apart_PC > 1, axis=1)
    return (np.count_nonzero(apart_PC, axis=1) - either) / either


def _codes(texts: list[str]) -> Codes:
    """An even number for every run, one row a text; the rest of a row, at least one place, is the highest there is."""
    points, starts, lengths = written(texts)
    narrow = int(points.max(initial=0)) >> NARROW == 0
    kind, bits = (np.uint32, NARROW) if narrow else (np.uint64, WIDE)
    runs = np.zeros(len(points) - CHARACTERS + 1, dtype=kind)
    for place in range(CHARACTERS):
        runs |= points[place : place + len(runs)].astype(kind) << kind(bits * place + 1)
    counts = lengths - CHARACTERS + 1
    rows = np.full((len(texts), int(counts.max()) + 1), np.iinfo(kind).max, dtype=kind)
    whole = np.ones(len(points), dtype=np.bool_)
    # runs that would begin in one text and end in the next
    for place in range(1, CHARACTERS):
        whole[starts + lengths - place] = False
    rows[np.arange(rows.shape[1]) < counts[:, None]] = runs[whole[: len(runs)]]
    return rows
