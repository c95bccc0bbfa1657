"""Pools for tests of curation."""

import asyncio
from collections.abc import Sequence

import numpy as np

from evolvent.memory.embedders.hashing import Hashing
from evolvent.training.curation.pool import Context, Pool, Row, Scores
from evolvent.training.curation.scorer import Scorer


def make_pool(count: int, *, seed: int = 0, skills: int = 3, equal: bool = False) -> Pool:
    """Sums in words and digits; ids are not in the order of the rows."""
    rng = np.random.default_rng(seed)
    ids = rng.permutation(count)
    rows = [
        Row(
            f"s{ids[i]:05d}",
            "what is 1 + 1" if equal else f"what is {rng.integers(10, 100)} + {rng.integers(10, 100)} for {ids[i]}",
            "2" if equal else str(rng.integers(10, 200)),
            f"skill-{i % skills}",
        )
        for i in range(count)
    ]
    return Pool(tuple(rows), Hashing().embed)


SHAPES = {
    "empty": make_pool(0),
    "of one sample": make_pool(1),
    "of all equal samples": make_pool(12, equal=True),
    "of a few samples": make_pool(40),
}
"""Pools on which every method has to hold."""


def score(scorer: Scorer, pool: Pool, context: Context | None = None) -> Scores:
    """Score a pool, outside of any loop."""
    return asyncio.run(scorer.score(pool, context or Context()))


def shuffled(pool: Pool, *, seed: int = 1) -> tuple[Pool, Sequence[int]]:
    """Give the same samples in another order, and where each of them came from."""
    order = np.random.default_rng(seed).permutation(len(pool)).tolist()
    return pool.take(order), order
