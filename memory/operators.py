"""What every operator made: how much of it was kept, and what became of the skills it wrote for."""

from collections import Counter
from math import fsum
from typing import NamedTuple

from .exams import moved
from .ledger import Ledger
from .records import Exam, Promotion
from .reviews import JOIN, KEPT

_MADE = f"""
select json_extract(s.body, '$.origin.operator'), s.round, json_extract(s.body, '$.task.skill'),
  {KEPT}, json_extract(f.body, '$.reason') like 'critique%', count(*)
from records s left join records f on f.kind = 'fate' and f.subject = s.id {JOIN}
where s.kind = 'sample' and s.subject = 'targeted' and s.round between ? and ?
  and json_extract(s.body, '$.origin.operator') is not null group by 1, 2, 3, 4, 5"""  # noqa: S608 - a constant of ours
LAST = 1 << 30
"""No session has as many rounds."""


class Tally(NamedTuple):
    """One operator's samples, in one round or in all; what an earlier run left is not counted."""

    operator: str
    written: int
    refused: int
    """Turned down by critique; the rest of what was not kept leaked, repeated or was too long."""
    kept: int
    promoted: int
    """Of those kept, the ones whose round made a student that was promoted."""
    change: float | None
    """Mean over those kept of what the candidate of their round gained on their skill, in [-1, 1]; None where no such
    candidate was examined. Other samples of the round had their part in it."""


def tally(ledger: Ledger, *, round: int | None = None) -> list[Tally]:
    """Count by operator, in the order of their names; nothing where no operator was at work.

    Args:
        ledger: of the run.
        round: only this one.
    """
    first, last = (1, LAST) if round is None else (round, round)
    found = ledger.rows(_MADE, first, last)
    if not found:
        return []
    exams, decisions = ledger.read(Exam), {p.round: p for p in ledger.read(Promotion)}
    counts: Counter[tuple[str, str]] = Counter()
    changes: dict[str, list[tuple[int, float]]] = {}
    for operator, number, skill, kept, refused, count in found:
        counts[operator, "written"] += count
        counts[operator, "refused"] += count if refused else 0
        decision = decisions.get(number)
        if not kept:
            continue
        counts[operator, "kept"] += count
        counts[operator, "promoted"] += count if decision and decision.promoted else 0
        if decision and (flips := moved(exams, decision, skill)):
            changes.setdefault(operator, []).append((count, flips.change))
    return [
        Tally(
            name,
            *(counts[name, what] for what in ("written", "refused", "kept", "promoted")),
            change=_mean(changes.get(name, [])),
        )
        for name in sorted({name for name, _ in counts})
    ]


def _mean(weighted: list[tuple[int, float]]) -> float | None:
    if not weighted:
        return None
    return fsum(count * value for count, value in weighted) / sum(count for count, _ in weighted)
