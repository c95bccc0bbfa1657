"""Find failures, samples and weaknesses by meaning.

What a session remembered lies in Parquet parts that are whole or not there, so they are read and compared with one by
one: exactly, also while the session writes, and without opening the index beside them, which has one writer. Samples
are not remembered; they are read from the ledger and embedded here.
"""

import heapq
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ...memory import files
from ...memory.display import line
from ...memory.embedder import Embedder, Vectors
from ...memory.errors import RunError
from ...memory.parts import PartSpec, load
from ...memory.reading import Run
from ...memory.recall import Entry, vectors
from ...memory.records import Sample
from ..remembering import describe_answer

Kind = Literal["sample", "attempt", "weakness"]
REMEMBERED: Mapping[str, Kind] = {"failure": "attempt", "weakness": "weakness"}
"""Kinds by what the memory calls them."""
BATCH = 4096
"""Samples embedded at a time."""
DIGITS = 4
"""Decimals of a similarity that order results; any further ones depend on the order of adding up."""
SHOWN = 100
"""Characters of a text in a line."""


class Found(NamedTuple):
    """Something that is like what was asked for."""

    similarity: float
    """Cosine, at most 1."""
    id: str
    """What `evolvent explain` takes."""
    kind: Kind
    skill: str
    round: int
    text: str
    origin: str
    """Session that it comes from, where that is an earlier one."""

    @property
    def rank(self) -> tuple[float, int, str]:
        """Nearest first; of equally near ones the latest, then by id."""
        return -round(self.similarity, DIGITS), -self.round, self.id

    def line(self) -> str:
        """Itself in one line."""
        where = f"  (session {self.origin})" if self.origin else ""
        said = line(self.text)
        said = said if len(said) <= SHOWN else f"{said[: SHOWN - 1]}…"
        return f"{self.similarity:6.3f}  {self.kind:8}  {self.id}  round {self.round:<3}  {said}{where}"


def search(run: Run, text: str, *, most: int, kind: Kind | None = None, allow_import: bool = False) -> list[Found]:
    """Look for what is nearest in meaning, nearest first.

    Args:
        run: where; it may be going on.
        text: what to look for.
        most: results at most.
        kind: only these; without it all.
        allow_import: load an embedder of the user's own.

    Raises:
        RunError: the vectors were made by another embedder than the scenario names.
        LedgerError: a part of the memory cannot be read.
    """
    embedder = _embedder(run, allow_import=allow_import)
    asked_D = embedder.embed([text])[0]
    wanted: set[Kind] = {kind} if kind else {"sample", "attempt", "weakness"}
    nearest = [*(_remembered(run, asked_D, wanted, most) if wanted != {"sample"} else [])]
    nearest += _samples(run, asked_D, embedder, most) if "sample" in wanted else []
    return sorted(nearest, key=lambda found: found.rank)[:most]


def facts(found: Found) -> dict[str, Any]:
    """One result for programs."""
    return found._asdict() | {"similarity": round(found.similarity, DIGITS)}


def _embedder(run: Run, *, allow_import: bool) -> Embedder:
    """The embedder of the run's memory, if that is the one its scenario names."""
    where = str(run.path / "scenario.resolved.json")
    spec = PartSpec.model_validate(run.scenario.get("embedder", {"name": "hashing"}))
    package = f"{__package__}".rpartition(".agents")[0] + ".memory.embedders"
    embedder = load(spec, base=Embedder, package=package, where=where, allow_import=allow_import)
    path = run.path / "memory" / "embedder.json"
    if path.is_file():
        try:
            same = json.loads(path.read_bytes())["digest"] == files.digest(
                {**embedder.describe(), "dimensions": embedder.dimensions}
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path}: cannot be read ({error}); restore it from a copy") from None
        if not same:
            raise RunError(
                f"{path.parent} holds vectors of another embedder than {where} names; restore one of the two"
            )
    return embedder


def _remembered(run: Run, asked_D: Vectors, wanted: set[Kind], most: int) -> list[Found]:
    """The nearest of what is remembered; a weakness counts once, as it stands now."""
    attempts: list[Found] = []
    weaknesses: dict[str, Found] = {}
    for entries, vectors_SD in vectors(run.path / "memory"):
        found = [_found(e, float(s)) for e, s in zip(entries, vectors_SD @ asked_D, strict=True)]
        attempts = heapq.nsmallest(
            most, [*attempts, *(f for f in found if f.kind == "attempt")], key=lambda each: each.rank
        )
        for one in found:
            if one.kind == "weakness" and one.round >= weaknesses.get(one.id, one).round:
                weaknesses[one.id] = one
    return [found for found in [*attempts, *weaknesses.values()] if found.kind in wanted]


def _found(entry: Entry, similarity: float) -> Found:
    label = entry.label
    origin, _, id = entry.id.rpartition(":")
    return Found(
        similarity=min(1.0, similarity),
        id=str(label.get("weakness", id)),
        kind=REMEMBERED.get(str(label["kind"]), "attempt"),
        skill=str(label.get("skill", "")),
        round=int(label.get("round", 0)),
        text=entry.text,
        origin=origin,
    )


def _samples(run: Run, asked_D: Vectors, embedder: Embedder, most: int) -> list[Found]:
    nearest: list[Found] = []
    for rows in _rows(run):
        vectors_SD = embedder.embed([text for *_, text in rows])
        found = [
            Found(min(1.0, float(similarity)), id, "sample", skill, number, text, "")
            for (id, number, skill, text), similarity in zip(rows, vectors_SD @ asked_D, strict=True)
        ]
        nearest = heapq.nsmallest(most, [*nearest, *found], key=lambda each: each.rank)
    return nearest


def _rows(run: Run) -> Iterator[list[tuple[str, int, str, str]]]:
    """Every sample: its id, round, skill and text, a batch at a time so that a big run fits."""
    after = -1
    while rows := run.ledger.rows(
        "select seq, id, round, body from records where kind = 'sample' and seq > ? order by seq limit ?",
        after,
        BATCH,
    ):
        read = [(id, number, Sample.read(body)) for _, id, number, body in rows]
        yield [(id, number, s.task.skill, describe_answer(s.task, s.completion)) for id, number, s in read]
        after = rows[-1][0]


def remembers(path: Path) -> bool:
    """Whether a run's memory holds anything yet."""
    return any((path / "memory" / "vectors").glob("*.parquet"))
