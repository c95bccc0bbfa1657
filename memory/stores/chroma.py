"""Chroma as the index: embedded, silent, explicit vectors only.

Chroma 1.5.9 can lose its index when killed and then answers short or wrong without an error, so `healthy` compares
what is stored and what is found with what must be there.
"""

import contextlib
import errno
import os
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from pydantic import Field

from ..embedder import Vectors
from ..errors import EvolventError
from ..store import Hit, Index, Label, Store

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.types import Embeddings, Metadata, Where

COLLECTION = "memory"

NEAREST = 3
"""An entry must be among this many nearest to its own vector."""

FULL = ("disk is full", "disk I/O error", "No space left")
"""What Chroma says where the disk takes no more."""

TIE = 1e-3
"""Cosine below 1 at which another entry counts as being at the same place."""


class Chroma(Store):
    """Chroma's persistent client: HNSW over cosine, one collection a folder.

    Source: Malkov & Yashunin 2016, https://arxiv.org/abs/1603.09320 (HNSW, `ef`).
    """

    effort: int = Field(default=200, ge=1)
    """Candidates kept in view (`ef`) while adding and searching; with Chroma's own 100, 8 in 500 answers over
    10,000 short texts depended on the order of adding, with 200 at most 1 did."""

    def open(self, folder: Path, dimensions: int) -> Index:
        """Open the index in a folder, or make an empty one there."""
        return ChromaIndex(folder, dimensions, effort=self.effort)


class ChromaIndex:
    """One open collection."""

    def __init__(self, folder: Path, dimensions: int, *, effort: int) -> None:
        # a second to import, and nothing else here needs it
        import chromadb
        from chromadb.config import Settings

        self.dimensions = dimensions
        self._folder = folder
        with _telling(folder):
            self._client = cast("Client", chromadb.PersistentClient(folder, Settings(anonymized_telemetry=False)))
            self._open(effort)

    def _open(self, effort: int) -> None:
        try:
            self._collection = self._client.get_or_create_collection(
                COLLECTION,
                # without this Chroma downloads a model for entries that come without vectors
                embedding_function=None,
                configuration={"hnsw": {"space": "cosine", "ef_construction": effort, "ef_search": effort}},
            )
            self._batch = self._client.get_max_batch_size()
        except BaseException:
            # an open client stays cached by its path, and would answer the next open of this folder
            self.close()
            raise

    def add(self, ids: Sequence[str], vectors_SD: Vectors, labels: Sequence[Label]) -> None:
        """Put entries in, replacing those with the same id."""
        for start in range(0, len(ids), self._batch):
            part = slice(start, start + self._batch)
            metadatas = cast("list[Metadata]", [dict(label) for label in labels[part]])
            with _telling(self._folder):
                self._collection.upsert(ids=list(ids[part]), embeddings=vectors_SD[part], metadatas=metadatas)

    def search(self, vectors_QD: Vectors, k: int, *, where: Mapping[str, str] | None = None) -> list[list[Hit]]:
        """Give up to `k` nearest entries per query, nearest first."""
        if not len(vectors_QD):
            return []
        found = self._collection.query(
            query_embeddings=cast("Embeddings", vectors_QD),
            n_results=k,
            where=cast("Where", dict(where)) if where else None,
            include=["metadatas", "distances"],
        )
        assert found["distances"] is not None
        assert found["metadatas"] is not None
        return [
            [Hit(id, 1 - distance, cast("Label", label)) for id, distance, label in zip(*row, strict=True)]
            for row in zip(found["ids"], found["distances"], found["metadatas"], strict=True)
        ]

    def count(self) -> int:
        """Number of entries."""
        return self._collection.count()

    def healthy(self, sample_ids: Sequence[str], sample_vectors: Vectors) -> str | None:
        """Compare stored vectors with what they must be, and look each one up by its own vector."""
        if not sample_ids:
            return None
        stored = self._collection.get(ids=list(sample_ids), include=["embeddings"])
        vectors = dict(zip(stored["ids"], np.asarray(stored["embeddings"], np.float32), strict=True))
        for id, vector_D in zip(sample_ids, sample_vectors, strict=True):
            if id not in vectors:
                return f"entry {id!r} is missing"
            if not np.allclose(vectors[id], vector_D, atol=TIE):
                return f"entry {id!r} has another vector"
        for id, hits in zip(sample_ids, self.search(sample_vectors, NEAREST), strict=True):
            tied = len(hits) == NEAREST and hits[-1].similarity > 1 - TIE
            if not tied and id not in [hit.id for hit in hits]:
                return f"entry {id!r} does not find itself"
        return None

    def close(self) -> None:
        """Release the folder."""
        self._client.close()


@contextlib.contextmanager
def _telling(folder: Path) -> Generator[None]:
    """Say what a person can do about an error of Chroma.

    Raises:
        OSError: the disk takes no more.
        EvolventError: anything else that Chroma has to say.
    """
    from chromadb.errors import ChromaError

    try:
        yield
    except ChromaError as error:
        if any(words in str(error) for words in FULL):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder)) from error
        reason = " ".join(str(error).split())
        raise EvolventError(f"{folder}: Chroma cannot keep its index ({reason}); resume to make it again") from error
