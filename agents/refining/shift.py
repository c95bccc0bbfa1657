"""What curation changed in a data set: figures of the rows before and after, side by side."""

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ...training.curation.pool import Pool

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
LOOKED = 2_000
"""Rows that are compared with each other by their vectors, evenly spread; the figure is a mean."""
GROUPS = 20
"""Skills that are told apart, the largest first."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What rows are like."""

    rows: int
    question: tuple[float, ...]
    """Characters of questions at `QUANTILES`."""
    answer: tuple[float, ...]
    """Characters of answers."""
    pairs: float
    """Distinct pairs of words per pair, in [0, 1] (distinct-2; Li et al. 2016, arXiv:1510.03055)."""
    ratio: float
    """Bytes over their bytes when compressed together: the higher, the more is said again (arXiv:2407.06645)."""
    alike: float
    """Mean cosine of a row to its nearest other row; the lower, the more spread out."""
    skills: dict[str, int]

    def facts(self) -> dict[str, Any]:
        """The same as JSON."""
        return asdict(self)


def figures(pool: Pool) -> Figures:
    """Look at rows.

    Args:
        pool: the rows; may be empty.
    """
    words = [text.split() for text in pool.texts]
    pairs = [pair for said in words for pair in pairwise(said)]
    whole = "\n".join(pool.texts).encode("utf-8", "surrogatepass")
    return Figures(
        rows=len(pool),
        question=_lengths(pool.prompts),
        answer=_lengths(pool.answers),
        pairs=len(set(pairs)) / len(pairs) if pairs else 0.0,
        ratio=len(whole) / len(zlib.compress(whole)) if whole else 0.0,
        alike=_alike(pool),
        skills=dict(Counter(pool.skills).most_common()),
    )


def distance(before: Sequence[str], after: Sequence[str]) -> float:
    """Largest difference between two distributions of lengths (Kolmogorov-Smirnov), in [0, 1]."""
    if not before or not after:
        return 0.0
    a, b = (np.sort([len(text) for text in texts]) for texts in (before, after))
    at = np.concatenate([a, b])
    shares = [np.searchsorted(lengths, at, side="right") / len(lengths) for lengths in (a, b)]
    return float(np.abs(shares[0] - shares[1]).max())


def _lengths(texts: Sequence[str]) -> tuple[float, ...]:
    if not texts:
        return ()
    return tuple(float(q) for q in np.quantile([len(text) for text in texts], QUANTILES))


def _alike(pool: Pool) -> float:
    if len(pool) < 2 or pool.embed is None:
        return 0.0
    places = np.unique(np.linspace(0, len(pool) - 1, LOOKED).astype(np.int64))
    vectors_SD = pool.take(places).vectors_SD
    cosines_SS = vectors_SD @ vectors_SD.T
    np.fill_diagonal(cosines_SS, -1)
    return float(cosines_SS.max(axis=1).mean())
