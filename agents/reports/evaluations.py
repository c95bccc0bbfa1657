"""What the user's own evaluations say of a session."""

from typing import Any

from ...memory.evaluations import Evaluated
from ...memory.ledger import Ledger
from ...training.pairing import pair

Json = dict[str, Any]


def evaluations(ledger: Ledger, student: str | None) -> Json:
    """What the first student got in the user's own evaluations, and the one that stands; nothing without any."""
    found: Json = {}
    for first in ledger.read(Evaluated, round=0):
        sat = ledger.read(Evaluated, subject=first.evaluation)
        last = next((e for e in sat if e.student == student), first)
        changed = pair(first.marks, last.marks)
        low, high = changed.interval()
        found[first.evaluation] = {
            "items": len(first.items),
            "before": first.mean,
            "after": last.mean,
            "change": changed.gain,
            "low": low,
            "high": high,
            "worse": high < 0,
        }
    return {"evaluations": found} if found else {}
