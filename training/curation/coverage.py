"""How well a choice stands for everything: facility location, chosen greedily over the links of a graph of neighbours.

f(choice) = Σ over all samples of the cosine to the nearest that is chosen. What choosing a sample would add is summed
over those it is linked to; how well everything is covered already is caught up with over all of them.

Sources: Lin & Bilmes 2011, *A class of submodular functions for document summarization*; Minoux 1978, *Accelerated
greedy algorithms for maximizing submodular set functions* (lazy evaluation).
"""

import heapq

import numpy as np
from numpy.typing import NDArray

from ...memory.embedder import Vectors
from .neighbours import nearest
from .pool import Indices, Scores

LINKS = 32
"""Neighbours of a sample at the least; otherwise as many as there are samples for each that is to be chosen."""
MOST = 512
"""Neighbours of a sample at the most; up to as many samples every one is linked to all."""
BEHIND = 16
"""Choices after which coverage is caught up with, at first; later an eighth of all, since single ones matter less."""
CAUGHT_UP = 1024
"""Choices after which links alone are enough, since by then something linked to most samples is chosen."""
AT_ONCE = 32
"""Candidates evaluated at a time."""
DIGITS = 30
"""Binary digits of a cosine; above 131,072 samples fewer."""
CHUNK = 8192
"""Samples caught up with at a time."""


class Coverage:
    """A choice that grows."""

    def __init__(self, vectors_SD: Vectors, budget: int, *, seed: int) -> None:
        """Link samples.

        Args:
            vectors_SD: rows of length 1.
            budget: number to be chosen, at least 1; the fewer, the more links each needs.
            seed: groups vectors.
        """
        self.vectors_SD = vectors_SD
        self.covered_S = np.zeros(len(vectors_SD), dtype=np.float32)
        self.chosen: list[int] = []
        self._caught_up = 0
        wanted = MOST if len(vectors_SD) <= MOST else len(vectors_SD) // budget
        self._link(int(np.clip(wanted, LINKS, MOST)), seed)

    def gains(self, candidates: Indices) -> NDArray[np.float64]:
        """Give what each would add to the mean coverage."""
        starts, sizes = self._starts[candidates], self._sizes[candidates]
        ends = np.cumsum(sizes)
        links = np.repeat(starts - ends + sizes, sizes) + np.arange(ends[-1])
        added = np.maximum(self._cosine[links] - self.covered_S[self._to[links]], 0)
        return np.add.reduceat(added, ends - sizes, dtype=np.float64) / len(self.covered_S)

    def choose(self, candidate: int) -> None:
        """Choose one more."""
        self.chosen.append(candidate)
        links = slice(self._starts[candidate], self._starts[candidate] + self._sizes[candidate])
        to = self._to[links]
        self.covered_S[to] = np.maximum(self.covered_S[to], self._cosine[links])
        behind = len(self.chosen) - self._caught_up
        if len(self.chosen) <= CAUGHT_UP and behind >= max(BEHIND, len(self.chosen) // 8):
            self._catch_up()

    def _catch_up(self) -> None:
        """Count how near everything is to what was chosen lately, linked or not."""
        recent_TD = self.vectors_SD[self.chosen[self._caught_up :]]
        self._caught_up = len(self.chosen)
        for start in range(0, len(self.covered_S), CHUNK):
            part = slice(start, start + CHUNK)
            nearest_P = (self.vectors_SD[part] @ recent_TD.T).max(axis=1)
            self.covered_S[part] = np.maximum(self.covered_S[part], nearest_P)

    def _link(self, count: int, seed: int) -> None:
        """Keep every link at both of its ends; one that both ends have is kept once."""
        graph = nearest(self.vectors_SD, count, seed=seed)
        samples = len(self.vectors_SD)
        real = graph.to_SK >= 0
        one = np.repeat(np.arange(samples), real.sum(axis=1))
        other = graph.to_SK[real]
        # sorting numbers is several times as fast as sorting positions, so the cosine stands in the lower digits
        bits = min(DIGITS, 64 - 2 * samples.bit_length())
        scale = 2**bits - 1
        cosine = np.tile((graph.cosine_SK[real] * np.float64(scale)).astype(np.uint64), 2)
        by_to = np.concatenate([one * samples + other, other * samples + one]).astype(np.uint64)
        packed = np.sort(by_to << np.uint64(bits) | cosine)
        by_to = packed >> np.uint64(bits)
        first = np.append(True, by_to[1:] != by_to[:-1])
        by, to = np.divmod(by_to[first].astype(np.int64), samples)
        self._to = to
        self._cosine = ((packed[first] & np.uint64(scale)) / np.float64(scale)).astype(np.float32)
        self._sizes = np.bincount(by, minlength=samples)
        self._starts = np.cumsum(self._sizes) - self._sizes


def cover(vectors_SD: Vectors, budget: int, *, seed: int, extra_S: Scores | None = None) -> list[int]:
    """Choose greedily what adds most to the mean coverage of all samples; of equal ones the first comes first.

    Args:
        vectors_SD: rows of length 1, at least one.
        budget: number to choose, at least 1.
        seed: groups vectors.
        extra_S: what choosing each adds beside, whatever else is chosen.
    """
    coverage = Coverage(vectors_SD, budget, seed=seed)
    extra_S = np.zeros(len(vectors_SD)) if extra_S is None else extra_S
    # what was added at an earlier time bounds what is added now; the third number is when it was worked out
    everybody = np.arange(len(vectors_SD))
    heap = [(-gain, i, 0) for i, gain in enumerate((coverage.gains(everybody) + extra_S).tolist())]
    heapq.heapify(heap)
    while heap and len(coverage.chosen) < budget:
        now = len(coverage.chosen)
        if heap[0][2] == now:
            coverage.choose(heapq.heappop(heap)[1])
            continue
        stale = np.array([heapq.heappop(heap)[1] for _ in range(min(AT_ONCE, len(heap)))])
        for gain, i in zip((coverage.gains(stale) + extra_S[stale]).tolist(), stale.tolist(), strict=True):
            heapq.heappush(heap, (-gain, i, now))
    return coverage.chosen
