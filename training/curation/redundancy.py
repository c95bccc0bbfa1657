"""How well texts compress, alone and after others: what is repeated compresses, what is new does not."""

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LEVEL = 9
"""Effort of the compressor, as in the reference implementation of ZIP."""
Bytes = Sequence[bytes]


class Stream:
    """Texts compressed one after the other; what one more would add can be seen without adding it.

    The compressor looks back 32 KiB, so a look costs the length of a text and a copy of that window, however much
    was added before.
    """

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(LEVEL)
        self._raw = 0
        self._out = 0

    def add(self, text: bytes) -> None:
        """Append a text."""
        self._out += len(self._compressor.compress(text))
        self._raw += len(text)

    def ratio(self, text: bytes) -> float:
        """Bytes over compressed bytes of all that was added and this text."""
        last = self._compressor.copy()
        packed = self._out + len(last.compress(text)) + len(last.flush())
        return (self._raw + len(text)) / packed


def ratios(texts: Bytes) -> NDArray[np.float64]:
    """Bytes over compressed bytes of each text by itself."""
    return np.array([len(text) / len(zlib.compress(text, LEVEL)) for text in texts], dtype=np.float64)


def rank(texts: Bytes, *, most: int, looked_at: int, shortlisted: int, taken: int) -> tuple[list[int], list[int]]:
    """Choose texts that compress badly together, by stages.

    Each time the `looked_at` texts that last seemed least redundant are compared after what was chosen; of the
    `shortlisted` best of them `taken` are added one by one, each the best after those of its own batch.

    Args:
        texts: in an order that decides between equals.
        most: texts to be chosen.
        looked_at: K1 of the paper.
        shortlisted: K2.
        taken: K3.

    Returns:
        Places in the order they were chosen, and the other places, the least redundant first.
    """
    state_S = ratios(texts)
    chosen: list[int] = []
    whole = Stream()
    while len(chosen) < min(most, len(texts)):
        near = _least(state_S, looked_at)
        state_S[near] = [whole.ratio(texts[i]) for i in near]
        short = near[_least(state_S[near], shortlisted)]
        batch = _batch([texts[i] for i in short], min(taken, most - len(chosen)))
        for place in short[batch].tolist():
            whole.add(texts[place])
            chosen.append(place)
            state_S[place] = np.inf
    rest = np.argsort(state_S, kind="stable")[: len(texts) - len(chosen)]
    return chosen, rest.tolist()


def _batch(texts: Bytes, count: int) -> list[int]:
    """Places of texts that compress badly together, one after the other."""
    stream = Stream()
    left = list(range(len(texts)))
    taken: list[int] = []
    while left and len(taken) < count:
        best = min(left, key=lambda place: stream.ratio(texts[place]))
        stream.add(texts[best])
        left.remove(best)
        taken.append(best)
    return taken


def _least(values_S: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Places of the smallest finite values, the smallest first."""
    order = np.argsort(values_S, kind="stable")[:count]
    return order[np.isfinite(values_S[order])]
