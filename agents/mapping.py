"""A round's failures and samples by likeness, on one plane for the whole session.

The viewer opens neither a vector store nor a model, so what it draws is worked out here. A round places at most so many
of a kind, and the axes are those of the first round that had enough to take any from.
"""

from collections.abc import Callable, Sequence
from itertools import chain, zip_longest
from typing import Any, TypeVar

from ..memory.embedder import Embedder
from ..memory.ledger import Ledger
from ..memory.plane import Plane
from ..memory.recall import Entry
from ..memory.records import Attempt, Sample, Weakness
from ..memory.trace import spent
from .remembering import failure_entries, sample_entries

MOST = 200
"""Failures, and samples, of one round that are placed."""

R = TypeVar("R", Attempt, Sample)


def mapped(ledger: Ledger, embedder: Embedder, round: int) -> dict[str, Any]:
    """Place what is new in a round: `points` of kind, id, skill, weakness, across and up; `plane` if it was made here.

    Returns:
        Nothing where there is too little to take axes from.
    """
    entries = _entries(ledger, round)
    with spent("embedding"):
        vectors_SD = embedder.embed([entry.text for entry in entries])
    earlier = _plane(ledger, round)
    plane = earlier or Plane.through(vectors_SD)
    if plane is None or not entries:
        return {}
    points = [
        [e.label["kind"], e.id, e.label["skill"], e.label.get("weakness", ""), x, y]
        for e, (x, y) in zip(entries, plane.place(vectors_SD), strict=True)
    ]
    return {"points": points, **({} if earlier else {"plane": plane.dump()})}


def _plane(ledger: Ledger, round: int) -> Plane | None:
    """The plane that an earlier round made."""
    for number in range(1, round):
        found = (ledger.result("reflect", number) or {}).get("map", {})
        if "plane" in found:
            return Plane.of(found["plane"])
    return None


def _entries(ledger: Ledger, round: int) -> list[Entry]:
    """What is placed: of failures those first that a weakness was inferred from, and of each skill as many."""
    blamed = {id for weakness in ledger.read(Weakness, round=round) for id in weakness.failures}
    failures = [a for a in ledger.read(Attempt, round=round) if not a.verdict.passed]
    told = _spread([a for a in failures if a.id in blamed], lambda a: a.task.skill)
    told += _spread([a for a in failures if a.id not in blamed], lambda a: a.task.skill)
    taught = [s for s in ledger.read(Sample, round=round, subject="targeted") if s.weakness]
    samples = sample_entries(_spread(taught, lambda s: str(s.weakness))[:MOST])
    return [*failure_entries(told[:MOST]), *samples]


def _spread(records: Sequence[R], group: Callable[[R], str]) -> list[R]:
    """Take records in turn from every group, each in the order of its ids, which is as good as chance."""
    groups: dict[str, list[R]] = {}
    for record in sorted(records, key=lambda r: r.id):
        groups.setdefault(group(record), []).append(record)
    return [record for record in chain.from_iterable(zip_longest(*groups.values())) if record is not None]
