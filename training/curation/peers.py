"""Which samples ask the same or nearly the same, and which of their answers are one answer.

Comparisons of all pairs go block by block, so that memory stays small; the result does not depend on the blocks.
"""

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...memory.embedder import Vectors
from ...memory.errors import PartError
from .pool import FROM, Indices, Pool

BLOCK = 1024
"""Rows that are compared with all others at once."""


def plain(text: str) -> str:
    """A text without case, width and spacing: whatever else differs may be another question or answer."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def number(texts: Sequence[str]) -> tuple[list[str], Indices]:
    """Give the distinct texts, sorted, and the number of each text among them."""
    distinct = sorted(set(texts))
    places = {text: place for place, text in enumerate(distinct)}
    return distinct, np.array([places[text] for text in texts], dtype=np.int64)


def question_vectors(pool: Pool, questions: Sequence[str]) -> Vectors:
    """Give one vector per question: those of a pool are of question and answer, and would give the answer away.

    Raises:
        PartError: nothing here makes vectors.
    """
    if pool.embed is None:
        raise PartError(f"questions have to be compared; give {FROM['vectors']}")
    return pool.embed(questions) if questions else np.zeros((0, 1), dtype=np.float32)


def groups(vectors_SD: Vectors, near: float) -> Indices:
    """Number the sets of vectors that hang together by cosines of at least `near`; the number is the first member's."""
    owners_S = np.arange(len(vectors_SD))
    for start in range(0, len(vectors_SD), BLOCK):
        rows, columns = np.nonzero(vectors_SD[start : start + BLOCK] @ vectors_SD[: start + BLOCK].T >= near)
        _join(owners_S, rows + start, columns)
    return owners_S


def nearest(vectors_SD: Vectors, count: int) -> Indices:
    """Give for every vector the places of its `count` nearest others, in no order.

    Returns:
        Of shape `(len(vectors_SD), count)`; `count` must be below the number of vectors.
    """
    found_SK = np.empty((len(vectors_SD), count), dtype=np.int64)
    for start in range(0, len(vectors_SD), BLOCK):
        close_BS = vectors_SD[start : start + BLOCK] @ vectors_SD.T
        np.fill_diagonal(close_BS[:, start:], -np.inf)
        found_SK[start : start + BLOCK] = np.argpartition(-close_BS, count - 1, axis=1)[:, :count]
    return found_SK


def _join(owners_S: Indices, lefts: NDArray[np.intp], rights: NDArray[np.intp]) -> None:
    """Unite the sets of pairs, in place, until every member names the first of its set."""
    while True:
        before = owners_S.copy()
        lowest = np.minimum(owners_S[lefts], owners_S[rights])
        np.minimum.at(owners_S, before[lefts], lowest)
        np.minimum.at(owners_S, before[rights], lowest)
        while (owners_S[owners_S] != owners_S).any():
            owners_S[:] = owners_S[owners_S]
        if (owners_S == before).all():
            return
