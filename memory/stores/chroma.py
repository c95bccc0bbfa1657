"""Chroma as the index: embedded, silent, explicit vectors only.

Chroma 1.5.9 can lose its index when killed and then answers short or wrong without an error, so `healthy` compares
what is stored and what is found with what must be there.
"""

import contextlib
import errno
import heapq
import itertools
import os
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from pydantic import Field

from .. import files
from ..embedder import Vectors
from ..errors import EvolventError
from ..exact import Exact
from ..store import Hit, Index, Store

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.collection_configuration import CreateCollectionConfiguration
    from chromadb.api.models.Collection import Collection
    from chromadb.api.types import Embeddings

KIND = "kind-"
"""What the name of a collection begins with; the rest stands for the kind, which may be any text."""

EXACT = 4096
"""Entries of a kind up to which they are searched exactly: 0.4 ms a query; HNSW takes 0.2 ms in a batch and 1.4 ms
alone. HNSW leaves some out of reach, others with every order of adding: of 64 entries in two parts, one or two in a
third of the indexes. A killed session, which makes its index anew, would then recall what the other did not."""

NEAREST = 3
"""An entry must be among this many nearest to its own vector."""

LOST = 1 / 8
"""Share of a sample that need not find itself: HNSW is approximate, and of 100,000 texts of random words 1.2 % were not
found by their own vectors in an index that was whole. If half of 64 cannot be found, one check in 3e9 misses it."""

FULL = ("disk is full", "disk I/O error", "No space left")
"""What Chroma says where the disk takes no more."""

TIE = 1e-3
"""Cosine below 1 at which another entry counts as being at the same place."""


class Chroma(Store):
    """Chroma's persistent client: HNSW over cosine, a collection for every kind; small ones are searched exactly.

    So what is asked of one kind costs what that kind costs. With Chroma's own filter it does not: among 100,000 texts
    in five kinds that takes 7.4 ms a query and a collection of the kind 0.4 ms, and both find 78 % of the ten nearest
    where the words are random. What is asked of all kinds is asked of each.

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
        self._effort = effort
        self._exact: dict[str, Exact | None] = {}
        with _telling(folder):
            self._client = cast("Client", chromadb.PersistentClient(folder, Settings(anonymized_telemetry=False)))
            try:
                self._collections = {one.name: one for one in self._client.list_collections() if _ours(one.name)}
                self._batch = self._client.get_max_batch_size()
            except BaseException:
                # an open client stays cached by its path, and would answer the next open of this folder
                self.close()
                raise

    def add(self, ids: Sequence[str], vectors_SD: Vectors, kinds: Sequence[str]) -> None:
        """Put entries in, replacing those with the same id."""
        rows: dict[str, list[int]] = {}
        for row, kind in enumerate(kinds):
            rows.setdefault(kind, []).append(row)
        with _telling(self._folder):
            for kind, some in rows.items():
                collection = self._collection(kind)
                for start in range(0, len(some), self._batch):
                    part = some[start : start + self._batch]
                    collection.upsert(ids=[ids[row] for row in part], embeddings=vectors_SD[part])
                if (exact := self._exact.get(collection.name)) is not None:
                    exact.add([ids[row] for row in some], vectors_SD[some])

    def search(self, vectors_QD: Vectors, k: int, *, kind: str | None = None) -> list[list[Hit]]:
        """Give up to `k` nearest entries per query, nearest first."""
        if not len(vectors_QD):
            return []
        if kind is not None:
            asked = self._collections.get(_name(kind))
            return [[] for _ in vectors_QD] if asked is None else self._search(asked, vectors_QD, k)
        each = [self._search(collection, vectors_QD, k) for _, collection in sorted(self._collections.items())]
        return _merged(each, k) if each else [[] for _ in vectors_QD]

    def _search(self, collection: "Collection", vectors_QD: Vectors, k: int) -> list[list[Hit]]:
        """Search a collection, exactly while it is small."""
        if collection.name not in self._exact:
            self._exact[collection.name] = _read(collection) if collection.count() <= EXACT else None
        exact = self._exact[collection.name]
        if exact is not None and len(exact) > EXACT:
            exact = self._exact[collection.name] = None
        return _search(collection, vectors_QD, k) if exact is None else exact.search(vectors_QD, k)

    def _collection(self, kind: str) -> "Collection":
        """Give the collection of a kind, a new one if there is none."""
        name = _name(kind)
        if name not in self._collections:
            hnsw = {"space": "cosine", "ef_construction": self._effort, "ef_search": self._effort}
            self._collections[name] = self._client.get_or_create_collection(
                name,
                # without this Chroma downloads a model for entries that come without vectors
                embedding_function=None,
                configuration=cast("CreateCollectionConfiguration", {"hnsw": hnsw}),
            )
        return self._collections[name]

    def count(self) -> int:
        """Number of entries."""
        return sum(collection.count() for collection in self._collections.values())

    def healthy(self, sample_ids: Sequence[str], sample_vectors: Vectors) -> str | None:
        """Compare stored vectors with what they must be, and look each one up by its own vector."""
        if not sample_ids:
            return None
        vectors: dict[str, Vectors] = {}
        for collection in self._collections.values():
            stored = collection.get(ids=list(sample_ids), include=["embeddings"])
            vectors |= dict(zip(stored["ids"], np.asarray(stored["embeddings"], np.float32), strict=True))
        for id, vector_D in zip(sample_ids, sample_vectors, strict=True):
            if id not in vectors:
                return f"entry {id!r} is missing"
            if not np.allclose(vectors[id], vector_D, atol=TIE):
                return f"entry {id!r} has another vector"
        found = _merged([_search(one, sample_vectors, NEAREST) for one in self._collections.values()], NEAREST)
        lost = [
            id
            for id, hits in zip(sample_ids, found, strict=True)
            if not (len(hits) == NEAREST and hits[-1].similarity > 1 - TIE) and id not in [hit.id for hit in hits]
        ]
        if len(lost) > LOST * len(sample_ids):
            return f"entry {lost[0]!r} does not find itself, and {len(lost) - 1} of {len(sample_ids)} others"
        return None

    def close(self) -> None:
        """Release the folder."""
        self._client.close()


def _name(kind: str) -> str:
    """Name of the collection of a kind."""
    return KIND + files.digest(kind, length=32)


def _ours(name: str) -> bool:
    return name.startswith(KIND)


def _far(hit: Hit) -> float:
    return -hit.similarity


def _merged(each: Sequence[list[list[Hit]]], k: int) -> list[list[Hit]]:
    """Give the nearest of several collections, per query."""
    return [list(itertools.islice(heapq.merge(*hits, key=_far), k)) for hits in zip(*each, strict=True)]


def _read(collection: "Collection") -> Exact:
    stored = collection.get(include=["embeddings"])
    return Exact(stored["ids"], np.asarray(stored["embeddings"], np.float32))


def _search(collection: "Collection", vectors_QD: Vectors, k: int) -> list[list[Hit]]:
    found = collection.query(query_embeddings=cast("Embeddings", vectors_QD), n_results=k, include=["distances"])
    assert found["distances"] is not None
    return [
        [Hit(id, 1 - distance) for id, distance in zip(*row, strict=True)]
        for row in zip(found["ids"], found["distances"], strict=True)
    ]


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
