"""Text to vector without a model: hashed character n-grams and words.

Texts that share spelling are near each other. Counts are whole numbers, so a vector does not depend on the batch,
the process or the machine.
"""

import unicodedata
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from ..embedder import Embedder, Vectors, normalise

BATCH = 512
"""Texts hashed at once: enough to hide numpy's overhead, few enough to stay in cache."""

# odd constants of splitmix64 (Steele, Lea & Flood 2014, https://doi.org/10.1145/2660193.2660195)
STEP = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)

WORD = 0
"""Salt of whole words; n-grams are salted with their length."""


class Hashing(Embedder):
    """Signed feature hashing of character n-grams and whole words.

    A word counts once per n-gram length, so that what is said weighs as much as how it is spelled.

    Source: Weinberger et al. 2009, https://arxiv.org/abs/0902.2206 (the sign makes collisions cancel on average).
    """

    size: int = Field(default=256, ge=2)
    """Length of a vector."""

    shortest: int = Field(default=2, ge=1)
    """Characters in the shortest n-gram."""

    longest: int = Field(default=4, ge=1)
    """Characters in the longest n-gram."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.longest < self.shortest:
            raise ValueError(f"longest {self.longest} is below shortest {self.shortest}")
        return self

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self.size

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Give one vector per text; case, width and spacing make no difference."""
        batches = [self._embed_batch(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        return np.concatenate(batches) if batches else np.zeros((0, self.size), np.float32)

    def _embed_batch(self, texts: Sequence[str]) -> Vectors:
        clean = [_clean(text) for text in texts]
        lengths_S = np.array([len(text) for text in clean])
        joined = "".join(clean)
        # the codes of all texts in one row, and for each character the text it belongs to
        codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
        owners = np.repeat(np.arange(len(texts)), lengths_S)
        counts = np.zeros(len(texts) * self.size)
        for length in range(self.shortest, self.longest + 1):
            hashes, starts = _grams(codes, owners, length)
            counts += self._count(hashes, owners[starts], counts.size)
        words, starts = _words(joined, codes)
        counts += (self.longest - self.shortest + 1) * self._count(words, owners[starts], counts.size)
        return normalise(counts.reshape(len(texts), self.size))

    def _count(self, hashes: NDArray[np.uint64], owners: NDArray[np.intp], cells: int) -> NDArray[np.float64]:
        """Add up features by text and bucket; the lowest bit gives the sign, the others the bucket."""
        buckets = (hashes >> np.uint64(1)) % np.uint64(self.size)
        signs = 1.0 - 2.0 * (hashes & np.uint64(1))
        cell_of = owners * self.size + buckets.astype(np.intp)
        return np.bincount(cell_of, weights=signs, minlength=cells).astype(np.float64)


def _clean(text: str) -> str:
    """One spelling per text, with a space on both sides so that word ends are features; nothing for nothing."""
    words = unicodedata.normalize("NFKC", text).casefold().split()
    return f" {' '.join(words)} " if words else ""


def _mix(values: NDArray[np.uint64], salt: int) -> NDArray[np.uint64]:
    """Spread values over 64 bits, differently for each salt."""
    values = values + np.uint64(salt * int(STEP) % 2**64)
    values = (values ^ (values >> np.uint64(30))) * MIX_1
    values = (values ^ (values >> np.uint64(27))) * MIX_2
    return values ^ (values >> np.uint64(31))


def _grams(
    codes: NDArray[np.uint64], owners: NDArray[np.intp], length: int
) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
    """Hash every n-gram that lies inside one text; give the hashes and where they start."""
    count = max(0, codes.size - length + 1)
    hashes = np.zeros(count, np.uint64)
    for offset in range(length):
        hashes = hashes * STEP + codes[offset : offset + count]
    starts = np.flatnonzero(owners[:count] == owners[length - 1 :])
    return _mix(hashes[starts], length), starts


def _words(joined: str, codes: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
    """Hash every run of letters and digits; give the hashes and where they start."""
    used = {ord(character): character.isalnum() for character in set(joined)}
    table = np.zeros(max(used, default=0) + 1, bool)
    table[list(used)] = list(used.values())
    inside = table[codes.astype(np.intp)]
    # every text begins and ends with a space, so runs come in pairs of edges and none crosses into the next text
    edges = np.flatnonzero(np.diff(inside, prepend=False))
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    if not starts.size:
        return np.zeros(0, np.uint64), starts
    begins = np.cumsum(lengths) - lengths
    places = np.arange(lengths.sum()) - np.repeat(begins, lengths)
    # a character is hashed with its place in the word, so that anagrams differ
    letters = _mix(codes[inside] << np.uint64(32) | places.astype(np.uint64), WORD)
    return _mix(np.add.reduceat(letters, begins), WORD), starts
