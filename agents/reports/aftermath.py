"""What happened to a session's students beside its rounds: weights removed, data withdrawn, a clean one in place."""

from collections import Counter
from typing import Any

from ...memory.display import visible
from ...memory.ledger import Ledger
from ...memory.records import Exam
from ...memory.retention import removals
from ...memory.retraction import Replacement, Retraction, Taint, Withdrawal, current, due, tainted
from ...memory.viewer.markup import NOTHING, code, safe, section, several, table

Json = dict[str, Any]


def aftermath(ledger: Ledger) -> Json:
    """The part of a summary that says so."""
    removed = [removal.model_dump(mode="json") for removal in removals(ledger).values()]
    retractions = ledger.read(Retraction)
    if not retractions:
        return {"removed": removed, "withdrawn": None}
    samples = Counter(w.retraction for w in ledger.read(Withdrawal))
    now, sealed = current(ledger), (ledger.result("report opening", 0) or {}).get("final")
    return {
        "removed": removed,
        "withdrawn": {
            "retractions": [r.model_dump(mode="json") | {"samples": samples[r.id]} for r in retractions],
            "tainted": [taint.model_dump(mode="json") for taint in ledger.read(Taint)],
            "replacements": [r.model_dump(mode="json") for r in ledger.read(Replacement)],
            "student": None if now is None else {"digest": now.digest, "tainted": now.tainted, "clean": now.clean},
            "due": due(ledger),
            "sealed": bool(sealed) and ledger.get(Exam, sealed["exam"]).student in tainted(ledger),
        },
    }


def verdict(found: Json) -> str:
    """What a person must know of the student, in one sentence; empty where nothing was withdrawn."""
    gone = found.get("withdrawn")
    if not gone:
        return ""
    sealed = " The sealed scores are those of the tainted student; the report is not opened again."
    after = sealed if gone["sealed"] else ""
    if not gone["student"] or not (gone["student"]["tainted"] or gone["student"]["clean"]):
        return "Data were withdrawn; the student did not learn from them."
    if gone["student"]["clean"] and not gone["student"]["tainted"]:
        return f"A clean student, trained without what was withdrawn, took the place of the tainted one.{after}"
    tried = gone["replacements"][-1:] if not gone["due"] else []
    why = f"no clean one took its place: {tried[0]['reason']}" if tried else "no clean one was trained yet"
    return f"The promoted student is tainted, it learned from data that were withdrawn; {why}.{after}"


def aftermath_lines(found: Json) -> list[str]:
    """The same for a terminal."""
    lines: list[str] = []
    gone = found.get("withdrawn")
    for one in gone["retractions"] if gone else []:
        why = f": {visible(one['reason'])}" if one["reason"] else ""
        lines.append(f"withdrew {one['what']} {visible(one['name'])}, {several(one['samples'], 'sample')}{why}")
    if said := verdict(found):
        lines.append(f"student  {said}")
    if removed := found.get("removed"):
        whose = ", ".join(
            {"control": "the twin", "clean": "a clean student"}.get(g["arm"], f"round {g['number']}") for g in removed
        )
        freed = sum(g["bytes"] for g in removed) / 1e6
        lines.append(f"removed  weights of {whose}: {freed:,.1f} MB freed; digests are kept")
    return lines


def aftermath_section(found: Json) -> str:
    """The same as sections of the report; nothing where nothing happened."""
    return _withdrawn(found) + _removed(found)


def _withdrawn(found: Json) -> str:
    gone = found.get("withdrawn")
    if not gone:
        return ""
    rows = [
        [safe(r["what"]), code(r["name"]), f"{r['samples']:,}", safe(r["reason"] or "")] for r in gone["retractions"]
    ]
    bad = [[str(t["round"]), code(t["checkpoint"]), f"{t['samples']:,}"] for t in gone["tainted"]]
    tried = [
        [
            str(r["round"]),
            code(r["clean"]) if r["clean"] else NOTHING,
            f"{r['samples']:,}",
            "".join(_bound(name, bound) for name, bound in r["bounds"].items()) or NOTHING,
            f'<b class="{"yes" if r["replaced"] else "no"}">{"took the place" if r["replaced"] else "did not"}</b>',
            safe(r["reason"]),
        ]
        for r in gone["replacements"]
    ]
    head = ["repeats round", "student", "samples", "loss, bound, margin", "outcome", "why"]
    parts = [table("What was withdrawn", ["what", "which", "samples", "why"], rows, kind="texts")]
    if bad:
        of = ["round", "student", "withdrawn samples it learned"]
        parts += ["<h3>Tainted students</h3>", table("Tainted students", of, bad, kind="texts")]
    if tried:
        parts += ["<h3>Clean students</h3>", table("Clean students", head, tried, kind="texts")]
    return section("withdrawn", "Withdrawn", safe(verdict(found)), *parts)


def _bound(name: str, bound: Json) -> str:
    loss, upper, margin = (f"{100 * bound[key]:.2f}".replace("-", "−") for key in ("loss", "upper", "margin"))
    held = bound["upper"] < bound["margin"]
    return (
        f'<span class="guard{"" if held else " over"}">{"✓" if held else "×"} {safe(name)} '
        f"<small>{loss}, at most {upper} of {margin}</small></span>"
    )


def _removed(found: Json) -> str:
    gone = found.get("removed") or []
    if not gone:
        return ""
    rows = [
        [str(g["number"]), safe(g["arm"]), code(g["checkpoint"]), f"{g['bytes'] / 1e6:,.1f} MB", safe(g["reason"])]
        for g in gone
    ]
    lead = "These students can no longer be asked or exported. Their digests, data and exams are kept."
    head = ["round", "arm", "checkpoint", "freed", "why"]
    return section("removed", "Weights removed", lead, table("Weights removed to save disk", head, rows, kind="texts"))
