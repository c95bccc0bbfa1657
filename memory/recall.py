"""The vector memory of a run: what was seen before, found by likeness.

Vectors live in immutable Parquet parts, one per `remember`; the index beside them is derived. It is sealed when it is
closed and opened only if the seal holds; otherwise, or if it is short or wrong, it is made again from the parts. So
nothing depends on its surviving.
"""

import contextlib
import io
import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import NamedTuple, Self, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from . import conventions, crash, files
from .embedder import Embedder, Vectors
from .errors import EvolventError, LedgerError, RunError
from .store import Hit, Index, Store
from .trace import span, spent

Label = Mapping[str, str | int | float | bool]
"""What is known of an entry, flat."""

SAMPLE = 64
"""Entries looked up at opening: if half are gone, one in 2**64 openings would miss it."""

CHUNK = 5000
"""Vectors per call while the index is made again."""

SPARE = 2
"""Hits asked for per entry wanted, so that equally near ones are chosen here and not by the index."""

DIGITS = 6
"""Decimals of a similarity that float32 gets right in any order of adding up."""

INDEX = re.compile(r"index-\d{1,9}", re.ASCII)
"""Names of indexes."""

POINTER = "current"
"""Names the index in use; it is replaced only when a new one is whole."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to remember."""

    id: str
    """Stands for the content: the same id always comes with the same text and label."""
    text: str
    label: Label
    """Flat; `kind` is what `recall` filters by."""


class Remembered(NamedTuple):
    """An entry that came to mind."""

    id: str
    similarity: float
    """Cosine to what was asked, at most 1."""
    text: str
    label: Label


class Recall:
    """An open memory. One process writes to it: the session that holds the run's lock."""

    def __init__(self, folder: Path, *, store: Store, embedder: Embedder) -> None:
        self.folder = folder
        self.store = store
        self.embedder = embedder
        self._keys: set[str] = set()
        self._entries: dict[str, Entry] = {}
        # entries of one kind with the same text share one place in the index: HNSW loses its way among hundreds of
        # identical vectors (chromadb 1.5.9: with 7,000 equal ones in 10,000, 23 % no longer found themselves)
        self._places: dict[str, list[Entry]] = {}
        (folder / "vectors").mkdir(parents=True, exist_ok=True)
        self._check_embedder()
        self._index = self._open_index(self._read_parts())

    @classmethod
    def open(cls, folder: Path, *, store: Store, embedder: Embedder) -> Self:
        """Read the parts, check the index against them, and make it again if it cannot be trusted.

        Raises:
            RunError: the vectors were made by another embedder.
            LedgerError: a part cannot be read.
            EvolventError: the store is wrong even when new.
        """
        return cls(folder, store=store, embedder=embedder)

    def __len__(self) -> int:
        return len(self._entries)

    def remember(self, key: str, entries: Sequence[Entry]) -> None:
        """Keep entries under a key, once: the same key again does nothing.

        Args:
            key: file name of the part.
            entries: those with an id already known are left out.

        Raises:
            ValueError: a key that is no file name, a label that is not flat, or an id that stands for something else.
        """
        if not re.fullmatch(r"\w[\w.-]{0,199}", key, re.ASCII):
            raise ValueError(f"{key!r} cannot name a part; use up to 200 letters, digits, '.', '_' and '-'")
        if key in self._keys:
            return
        fresh = self._fresh(entries)
        vectors_SD = self._embed([entry.text for entry in fresh])
        files.write_bytes(self.folder / "vectors" / f"{key}.parquet", _encode(fresh, vectors_SD))
        rows = {place: row for row, place in enumerate(map(_place, fresh)) if place not in self._places}
        crash.point("index.before_upsert")
        self._index.add(list(rows), vectors_SD[list(rows.values())], [_kind(fresh[row]) for row in rows.values()])
        crash.point("index.after_upsert")
        self._enter(key, fresh)

    def recall(self, texts: Sequence[str], k: int, *, kind: str | None = None) -> list[list[Remembered]]:
        """Give up to `k` entries per text, nearest first; equally near ones in the order of their ids.

        Args:
            texts: what to think of; all are looked up in one call.
            k: most entries per text.
            kind: only entries whose label has this kind.
        """
        vectors_QD = self._embed(texts)
        return [self._answer(hits, k) for hits in self._index.search(vectors_QD, SPARE * k, kind=kind)]

    def close(self) -> None:
        """Release the index and seal it; without this the next opening makes it again."""
        self._index.close()
        if name := self._current():
            files.seal(self.folder / name)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        known = conventions.embeddings(self.embedder.name, dimensions=self.embedder.dimensions, texts=len(texts))
        with spent("embedding"), known:
            return self.embedder.embed(texts)

    def _answer(self, hits: Sequence[Hit], k: int) -> list[Remembered]:
        """Give every entry at the places hit, in an order that does not depend on how the index was made."""
        found = [
            Remembered(entry.id, min(1.0, round(hit.similarity, DIGITS)), entry.text, entry.label)
            for hit in hits
            for entry in self._places[hit.id]
        ]
        return sorted(found, key=lambda one: (-one.similarity, one.id))[:k]

    def _fresh(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those entries that are not known yet, each once."""
        fresh: dict[str, Entry] = {}
        for entry in map(_checked, entries):
            known = self._entries.get(entry.id) or fresh.setdefault(entry.id, entry)
            if known != entry:
                raise ValueError(f"entry {entry.id!r} is already remembered with another text or label")
        return list(fresh.values())

    def _enter(self, key: str, entries: Sequence[Entry]) -> None:
        self._keys.add(key)
        for entry in entries:
            self._entries[entry.id] = entry
            self._places.setdefault(_place(entry), []).append(entry)

    def _check_embedder(self) -> None:
        """Write down whose vectors these are, or compare."""
        path = self.folder / "embedder.json"
        mine = {**self.embedder.describe(), "dimensions": self.embedder.dimensions}
        if not path.exists():
            if any(self._parts()):
                raise LedgerError(f"{path}: missing, so nobody knows whose vectors these are; restore it from a copy")
            files.write_json(path, {"embedder": mine, "digest": files.digest(mine)})
            return
        try:
            theirs = json.loads(path.read_bytes())
            same, other = theirs["digest"] == files.digest(mine), _say(theirs["embedder"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LedgerError(f"{path}: cannot be read ({error}); restore it from a copy") from None
        if not same:
            raise RunError(
                f"{self.folder} holds vectors of embedder {other}, the scenario has {_say(mine)}; "
                "use a new run or the old embedder"
            )

    def _parts(self) -> Iterator[Path]:
        return (self.folder / "vectors").glob("*.parquet")

    def _read_parts(self) -> dict[str, Vectors]:
        """Enter what is in the parts; give the vector of every place."""
        vectors: dict[str, Vectors] = {}
        for path in sorted(self._parts()):
            entries, vectors_SD = _decode(path)
            self._enter(path.stem, entries)
            for entry, vector_D in zip(entries, vectors_SD, strict=True):
                vectors.setdefault(_place(entry), vector_D)
        return vectors

    def _open_index(self, vectors: Mapping[str, Vectors]) -> Index:
        current = self._current()
        index, reason = (None, "there is no index") if current is None else self._trusted(current, vectors)
        if index is None:
            with span("memory.rebuild", reason=reason, vectors=len(vectors)) if vectors else contextlib.nullcontext():
                index = self._rebuild(vectors)
        current = self._current()
        for name in self._indexes():
            if name != current:
                shutil.rmtree(self.folder / name)
        return index

    def _indexes(self) -> list[str]:
        """Names of the indexes there are, in use or left over."""
        return [folder.name for folder in self.folder.iterdir() if INDEX.fullmatch(folder.name)]

    def _current(self) -> str | None:
        """Name of the index in use."""
        try:
            name = (self.folder / POINTER).read_text(errors="replace").strip()
        except FileNotFoundError:
            return None
        return name if INDEX.fullmatch(name) else None

    def _trusted(self, name: str, vectors: Mapping[str, Vectors]) -> tuple[Index | None, str]:
        """Open an index and give it if it is right, or else say what is wrong."""
        folder = self.folder / name
        if files.verify(folder) is None:
            # not even opened to look: Chroma 1.5.9 can take the whole process down over a file cut short
            return None, "it was not closed, or was changed since"
        (folder / files.COMPLETE).unlink()
        files.sync_folder(folder)
        try:
            with contextlib.ExitStack() as stack:
                index = self.store.open(folder, self.embedder.dimensions)
                stack.callback(index.close)
                if reason := _wrong(index, vectors):
                    return None, reason
                stack.pop_all()
                return index, ""
        except BaseException as error:
            # damage may raise anything, and Rust's panics arrive as pyo3's PanicException, which is no Exception
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            return None, f"{type(error).__name__}: {error}"

    def _rebuild(self, vectors: Mapping[str, Vectors]) -> Index:
        """Make the index again beside the old one, check it, then point to it."""
        # the name in the pointer counts as used even if its folder is gone: Chroma caches clients by path
        used = [*self._indexes(), self._current() or "index-0"]
        name = f"index-{1 + max(int(old.removeprefix('index-')) for old in used)}"
        with contextlib.ExitStack() as stack:
            index = self.store.open(self.folder / name, self.embedder.dimensions)
            stack.callback(index.close)
            places = list(vectors)
            for start in range(0, len(places), CHUNK):
                part = places[start : start + CHUNK]
                kinds = [_kind(self._places[place][0]) for place in part]
                index.add(part, np.stack([vectors[place] for place in part]), kinds)
            if reason := _wrong(index, vectors):
                raise EvolventError(f"{self.folder / name}: store {self.store.name!r} is wrong even when new: {reason}")
            files.write_text(self.folder / POINTER, f"{name}\n")
            stack.pop_all()
            return index


def entries(folder: Path) -> list[Entry]:
    """Everything a memory holds, in the order of its parts, without opening it.

    Raises:
        LedgerError: a part cannot be read.
    """
    return [entry for some, _ in vectors(folder) for entry in some]


def vectors(folder: Path) -> Iterator[tuple[list[Entry], Vectors]]:
    """Everything a memory holds with its vectors, a part at a time, without opening it; also while it is written to.

    Raises:
        LedgerError: a part cannot be read.
    """
    return map(_decode, sorted((folder / "vectors").glob("*.parquet")))


def _wrong(index: Index, vectors: Mapping[str, Vectors]) -> str | None:
    """Compare an index with the vectors it must hold, by number and by a sample."""
    if (count := index.count()) != len(vectors):
        return f"it holds {count} of {len(vectors)} vectors"
    sample = Random(len(vectors)).sample(sorted(vectors), min(SAMPLE, len(vectors)))
    return index.healthy(sample, np.stack([vectors[place] for place in sample])) if sample else None


def _place(entry: Entry) -> str:
    """Id that an entry has in the index: one per kind and text."""
    return files.digest([entry.label["kind"], entry.text], length=32)


def _kind(entry: Entry) -> str:
    return str(entry.label["kind"])


def _checked(entry: Entry) -> Entry:
    """Give an entry as it will be read back, or refuse it."""
    if not isinstance(entry.label.get("kind"), str):
        raise ValueError(f"entry {entry.id!r}: its label needs a 'kind', a str; it has {entry.label!r}")
    # callers build labels from loose JSON, so the type alone is no proof
    label = cast("Mapping[str, object]", entry.label)
    if odd := [key for key, value in label.items() if not isinstance(value, str | int | float | bool)]:
        raise ValueError(f"entry {entry.id!r}: label {odd[0]!r} is {label[odd[0]]!r}; use str, int, float or bool")
    # half a surrogate pair can come out of a model's JSON and has no place in UTF-8
    text = entry.text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return Entry(entry.id, text, dict(entry.label))


def _say(embedder: Mapping[str, object]) -> str:
    settings = ", ".join(f"{key} {value}" for key, value in embedder.items() if key != "name")
    return f"{embedder.get('name')!r} ({settings})"


def _encode(entries: Sequence[Entry], vectors_SD: Vectors) -> bytes:
    """Write a part: Parquet with a checksum on every page."""
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(vectors_SD.reshape(-1)), vectors_SD.shape[1])
    table = pa.table(
        {
            "id": pa.array([entry.id for entry in entries], pa.string()),
            "text": pa.array([entry.text for entry in entries], pa.string()),
            "label": pa.array([files.canonical(entry.label) for entry in entries], pa.string()),
            "vector": vectors,
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="none", use_dictionary=False, write_page_checksum=True)
    return sink.getvalue()


def _decode(path: Path) -> tuple[list[Entry], Vectors]:
    """Read a part; its pages' checksums are verified."""
    try:
        table = pq.ParquetFile(path, page_checksum_verification=True).read()
        labels = [cast("Label", json.loads(label)) for label in table["label"].to_pylist()]
        rows = zip(table["id"].to_pylist(), table["text"].to_pylist(), labels, strict=True)
        entries = [Entry(id, text, label) for id, text, label in rows]
        dimensions = table.schema.field("vector").type.list_size
        vectors = table["vector"].combine_chunks().flatten().to_numpy()
        return entries, vectors.reshape(len(entries), dimensions)
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise LedgerError(f"{path}: this part of the memory cannot be read ({error}); restore it from a copy") from None
