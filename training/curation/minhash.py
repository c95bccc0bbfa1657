"""Short signatures of texts that agree as often as the texts are alike.

One-permutation hashing: every run of characters is thrown into one of `PERMUTATIONS` bins, a few times over with
different hashes, and a bin keeps its smallest. Two texts agree in a bin with the chance of their Jaccard similarity,
for a few hashes a run instead of one per bin. A bin that stays empty, as many do with short texts, borrows from
another one in an order that is the same for all texts.

Sources: Li, Owen & Zhang 2012, *One permutation hashing*, arXiv:1208.1259; Shrivastava 2017, *Optimal densification
for fast and accurate minwise hashing*, arXiv:1703.04664.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .buckets import Ints, Keys

CHARACTERS = 3
"""Length of the character runs that are compared."""
PERMUTATIONS = 128
"""Bins of a signature; a power of two."""
THROWS = 3
"""Times that a run is thrown; four would cost a third more and leave fewer bins empty in texts below 200 characters."""
RECALL = 0.95
"""Chance, at the least, that a pair exactly as similar as the threshold is proposed; more similar ones are likelier."""
CHUNK = 512
"""Texts at a time, so that their bins stay in the processor's cache."""
EMPTY = np.uint32(2**32 - 1)

Signatures = NDArray[np.uint32]
"""One row of `PERMUTATIONS` values per text."""


class Written(NamedTuple):
    """Texts as the numbers of their characters, one after another."""

    points: NDArray[np.uint32]
    starts: Ints
    lengths: Ints


def written(texts: Sequence[str]) -> Written:
    """Give the characters of texts; a text shorter than a run is filled up to one."""
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    if len(texts) and lengths.min() < CHARACTERS:
        texts = [text.ljust(CHARACTERS, "\0") for text in texts]
        lengths = np.maximum(lengths, CHARACTERS)
    points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return Written(points, np.cumsum(lengths) - lengths, lengths)


def keys(texts: Sequence[str], bands: int) -> Keys:
    """Give one number for every band of every text's signature; texts share one if they agree in all of the band."""
    made = np.empty((len(texts), bands), dtype=np.uint64)
    tags = np.arange(bands, dtype=np.uint64) << np.uint64(56)
    for start in range(0, len(texts), CHUNK):
        rows_SBR = signatures(texts[start : start + CHUNK]).reshape(-1, bands, PERMUTATIONS // bands)
        mixed_SB = np.zeros(rows_SBR.shape[:2], dtype=np.uint64)
        for row in range(rows_SBR.shape[2]):
            mixed_SB = (mixed_SB ^ rows_SBR[:, :, row]) * np.uint64(0x9E3779B97F4A7C15)
            mixed_SB ^= mixed_SB >> np.uint64(32)
        # equal values in two bands must not meet
        made[start : start + CHUNK] = mixed_SB ^ tags
    return made


def signatures(texts: Sequence[str]) -> Signatures:
    """Sign texts by their runs of `CHARACTERS` characters."""
    text = written(texts)
    count = len(texts)
    rows = np.full((count + 1) * PERMUTATIONS, EMPTY, dtype=np.uint32)
    row = np.repeat(np.arange(count, dtype=np.int64) * PERMUTATIONS, text.lengths)
    # runs that would begin in one text and end in the next go to a row that is thrown away
    ends = text.starts + text.lengths
    row[ends - 1] = row[ends - 2] = count * PERMUTATIONS
    hashes = _runs(text.points)
    for multiplier in _odd(THROWS, seed=1):
        thrown = hashes * multiplier
        thrown ^= thrown >> np.uint32(15)
        thrown *= np.uint32(0x85EBCA6B)
        thrown ^= thrown >> np.uint32(13)
        bins = (thrown & np.uint32(PERMUTATIONS - 1)).astype(np.int64)
        np.minimum.at(rows, row[: len(thrown)] + bins, thrown)
    return _densified(rows[:-PERMUTATIONS].reshape(count, PERMUTATIONS))


def bands(near: float) -> int:
    """Fewest bands that propose a pair of this similarity with the wanted chance; a power of two.

    Rows within a band must all agree, one band suffices: 1 - (1 - s**rows)**bands (Leskovec, Rajaraman and Ullman,
    *Mining of Massive Datasets*, section 3.4).
    """
    count = 1
    while count < PERMUTATIONS and 1 - (1 - near ** (PERMUTATIONS // count)) ** count < RECALL:
        count *= 2
    return count


def _runs(points: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """A hash of every run of characters."""
    one, two, three = _odd(CHARACTERS, seed=0)
    return points[:-2] * one + points[1:-1] * two + points[2:] * three


def _odd(count: int, *, seed: int) -> NDArray[np.uint32]:
    return np.random.default_rng(seed).integers(0, 2**32, count, dtype=np.uint32) | np.uint32(1)


def _densified(rows_SP: Signatures) -> Signatures:
    """Fill empty bins from others of the same text."""
    text, bin = np.nonzero(rows_SP == EMPTY)
    if not len(text):
        return rows_SP
    lenders_PA = np.random.default_rng(3).permuted(np.tile(np.arange(PERMUTATIONS), (PERMUTATIONS, 1)), axis=1)
    full_SP = rows_SP.copy()
    for attempt in range(PERMUTATIONS):
        borrowed = rows_SP[text, lenders_PA[bin, attempt]]
        here = borrowed != EMPTY
        full_SP[text[here], bin[here]] = borrowed[here]
        text, bin = text[~here], bin[~here]
        if not len(text):
            break
    return full_SP
