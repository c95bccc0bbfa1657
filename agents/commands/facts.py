"""Lineages and moves as JSON, for programs."""

from typing import Any

from ...memory.blame import Move
from ...memory.exams import Flips
from ...memory.lineage import Lineage
from ...memory.records import Record

Json = dict[str, Any]


def of_lineage(found: Lineage) -> Json:
    """A sample from the failures it answers to what the exam did; records carry their ids."""
    return {
        "sample": _record(found.sample),
        "weakness": _record(found.weakness),
        "life": [_record(observation) for observation in found.life],
        "failures": [_record(attempt) for attempt in found.failures],
        "critiques": [_record(critique) for critique in found.critiques],
        "debates": [_record(debate) for debate in found.debates],
        "fate": _record(found.fate),
        "review": _record(found.review),
        "nearest": _record(found.nearest),
        "withdrawn": found.withdrawn,
        "marks": {r.checkpoint: found.marks[r.checkpoint] for r in found.trained_in if r.checkpoint in found.marks},
        "trained_in": [_record(round) for round in found.trained_in],
        "examined": [{"decision": _record(e.decision), "exam": _flips(e.flips)} for e in found.examined],
    }


def of_move(move: Move) -> Json:
    """What one round did to a skill, and what was new in its data."""
    taught = [{"weakness": t.weakness.id if t.weakness else None, "samples": t.samples} for t in move.taught]
    return {
        "round": move.decision.round,
        "promoted": move.decision.promoted,
        "exam": _flips(move.flips),
        "taught": taught,
        "other_samples": move.others,
    }


def _record(record: Record | None) -> Json | None:
    return None if record is None else {"id": record.id, **record.model_dump(mode="json")}


def _flips(flips: Flips | None) -> Json | None:
    """Counts of a comparison; shares are in [-1, 1]."""
    if flips is None:
        return None
    counts = {"gained": flips.gained, "lost": flips.lost, "items": flips.items}
    return {**counts, "change": flips.change, "p_value": flips.p_value}
