"""How well a choice stands for everything: facility location, chosen greedily over the links of a graph of neighbours.

f(choice) = Σ over all samples of the cosine to the nearest that is chosen. A sample that no chosen one is linked to
counts as near to the choice as it is to a random choice of some size, since something will be that near.

Sources: Lin & Bilmes 2011, *A class of submodular functions for document summarization*; Minoux 1978, *Accelerated
greedy algorithms for maximizing submodular set functions* (lazy evaluation).
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...memory.embedder import Vectors
from .neighbours import nearest

LINKS = 32
"""Neighbours of a sample at the least."""
SPARE = 4
"""Links of a sample as a multiple of the samples that each chosen one stands for."""
MOST = 512
"""Neighbours of a sample at the most; a choice that leaves each to stand for more is less than greedy."""
DRAWN = 256
"""Size of the random choice that a sample without links is compared to, at the most."""


@dataclass(frozen=True, slots=True)
class Links:
    """The same graph seen from those that may be chosen: whom each would stand for."""

    starts: NDArray[np.int64]
    """Where the links of each begin, and where the last ones end."""
    to: NDArray[np.int32]
    cosine: NDArray[np.float32]


def link(vectors_SD: Vectors, budget: int, *, seed: int) -> tuple[Links, NDArray[np.float32]]:
    """Give links in both directions, and the least that every sample counts as covered.

    Args:
        vectors_SD: rows of length 1.
        budget: number to be chosen, at least 1; the fewer, the more links each needs.
        seed: groups vectors and draws the random choice.
    """
    count = len(vectors_SD)
    links = int(np.clip(SPARE * count // budget, LINKS, MOST))
    graph = nearest(vectors_SD, links, seed=seed)
    real = graph.to_SK >= 0
    one = np.repeat(np.arange(count, dtype=np.int64), real.sum(axis=1))
    other, cosine = graph.to_SK[real].astype(np.int64), graph.cosine_SK[real]
    # a link that both have is there twice; cosines of the two differ in rounding alone
    pairs = np.concatenate([other * count + one, one * count + other])
    pairs, where = np.unique(pairs, return_index=True)
    by, to = np.divmod(pairs, count)
    starts = np.searchsorted(by, np.arange(count + 1))
    return Links(starts, to.astype(np.int32), np.concatenate([cosine, cosine])[where]), _least(
        vectors_SD, min(budget, DRAWN), links, seed=seed
    )


def _least(vectors_SD: Vectors, drawn: int, links: int, *, seed: int) -> NDArray[np.float32]:
    if links >= len(vectors_SD):
        return np.zeros(len(vectors_SD), dtype=np.float32)
    some = np.random.default_rng(seed).permutation(len(vectors_SD))[:drawn]
    return np.maximum((vectors_SD @ vectors_SD[some].T).max(axis=1), 0)


def cover(
    links: Links, least_S: NDArray[np.float32], budget: int, *, extra_S: NDArray[np.float64] | None = None
) -> Sequence[int]:
    """Choose greedily what adds most to the mean coverage of all samples; of equal ones the first comes first.

    Args:
        links: whom each stands for.
        least_S: coverage of every sample by nothing.
        budget: number to choose.
        extra_S: what choosing each adds beside, whatever else is chosen.
    """
    count = len(least_S)
    covered_S = least_S.copy()
    extra = [0.0] * count if extra_S is None else extra_S.tolist()

    def gain(index: int) -> float:
        part = slice(starts[index], starts[index + 1])
        return float(np.maximum(links.cosine[part] - covered_S[links.to[part]], 0).sum()) / count + extra[index]

    starts = links.starts.tolist()
    gains = np.maximum(links.cosine - covered_S[links.to], 0)
    sums = np.add.reduceat(gains, links.starts[:-1], dtype=np.float64) / count + np.array(extra)
    heap = [(-float(value), index) for index, value in enumerate(sums)]
    heapq.heapify(heap)
    chosen: list[int] = []
    while heap and len(chosen) < budget:
        _, index = heap[0]
        now = -gain(index)
        if len(heap) > 1 and (now, index) > min(heap[1:3]):
            heapq.heapreplace(heap, (now, index))
            continue
        heapq.heappop(heap)
        chosen.append(index)
        part = slice(starts[index], starts[index + 1])
        covered_S[links.to[part]] = np.maximum(covered_S[links.to[part]], links.cosine[part])
    return chosen
