"""Where vectors are searched: the base of every store.

A store is a derived index: whatever it holds can be thrown away and made again, so it may be wrong but must be able
to say so (`Index.healthy`).
"""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol

from .embedder import Vectors
from .parts import Part


class Hit(NamedTuple):
    """One answer to one query."""

    id: str
    similarity: float
    """Cosine, 1 for the same direction."""


class Index(Protocol):
    """An open index of one folder."""

    def add(self, ids: Sequence[str], vectors_SD: Vectors, kinds: Sequence[str]) -> None:
        """Put entries in, replacing those with the same id, which never changes its kind.

        Args:
            ids: each another.
            vectors_SD: one entry a row.
            kinds: what `search` can keep to; few differ.
        """
        ...

    def search(self, vectors_QD: Vectors, k: int, *, kind: str | None = None) -> list[list[Hit]]:
        """Give up to `k` nearest entries per query, nearest first, in one call.

        Args:
            vectors_QD: one query a row.
            k: most hits per query.
            kind: only entries of this one.
        """
        ...

    def count(self) -> int:
        """Number of entries."""
        ...

    def healthy(self, sample_ids: Sequence[str], sample_vectors: Vectors) -> str | None:
        """Give None if entries that must be there are found with their vectors, or else what is wrong.

        Raises:
            BaseException: a damaged index may fail in any way; the caller takes that for damage.
        """
        ...

    def close(self) -> None:
        """Release the folder; the same process may open it again."""
        ...


class Store(Part):
    """Opens indexes."""

    kind: ClassVar[str] = "store"

    @abstractmethod
    def open(self, folder: Path, dimensions: int) -> Index:
        """Open the index in a folder, or make an empty one there."""
