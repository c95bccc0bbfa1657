"""What happened to a session's students beside its rounds: weights that were removed to save disk."""

from typing import Any

from ...memory.ledger import Ledger
from ...memory.retention import removals
from ...memory.viewer.markup import code, safe, section, table

Json = dict[str, Any]


def aftermath(ledger: Ledger) -> Json:
    """The part of a summary that says so."""
    return {"removed": [removal.model_dump(mode="json") for removal in removals(ledger).values()]}


def aftermath_lines(found: Json) -> list[str]:
    """The same for a terminal."""
    gone = found.get("removed") or []
    if not gone:
        return []
    whose = ", ".join("the twin" if g["arm"] == "control" else f"round {g['number']}" for g in gone)
    return [f"removed  weights of {whose}: {sum(g['bytes'] for g in gone) / 1e6:,.1f} MB freed; digests are kept"]


def aftermath_section(found: Json) -> str:
    """The same as a section of the report; nothing where nothing happened."""
    gone = found.get("removed") or []
    if not gone:
        return ""
    rows = [
        [str(g["number"]), safe(g["arm"]), code(g["checkpoint"]), f"{g['bytes'] / 1e6:,.1f} MB", safe(g["reason"])]
        for g in gone
    ]
    lead = "These students can no longer be asked or exported. Their digests, data and exams are kept."
    head = ["round", "arm", "checkpoint", "freed", "why"]
    return section(
        "removed", "Weights removed", lead, table("Weights removed to save disk", head, rows, kind="figures")
    )
