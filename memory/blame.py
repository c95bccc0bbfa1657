"""Which rounds, and the samples against which weaknesses, moved a skill up or down."""

from dataclasses import dataclass

from .errors import UsageError, suggest
from .exams import Flips, moved
from .ledger import Ledger
from .records import Exam, Promotion, Weakness


@dataclass(frozen=True, slots=True)
class Taught:
    """Samples a round added for one reason."""

    skill: str
    weakness: Weakness | None
    """What they are aimed at; None for practice that keeps a skill."""
    samples: int


@dataclass(frozen=True, slots=True)
class Move:
    """What one round did to a skill."""

    decision: Promotion
    flips: Flips | None
    """The skill's items, incumbent against candidate; None where it was not examined."""
    taught: tuple[Taught, ...]
    """New samples of the skill, most first."""
    others: int
    """New samples of other skills."""


def blame(ledger: Ledger, skill: str, known: tuple[str, ...]) -> list[Move]:
    """Say round by round how a skill moved and what was new in the data.

    Args:
        ledger: of the run.
        skill: its name.
        known: all skills of the scenario.

    Raises:
        UsageError: no such skill.
    """
    if skill not in known:
        raise UsageError(f"no skill {skill!r} in this run; known: {', '.join(known)}{suggest(skill, list(known))}")
    exams = ledger.read(Exam)
    moves: list[Move] = []
    own = _of_skill(ledger, skill)
    for decision in ledger.read(Promotion):
        taught = tuple(own.get(decision.round, ()))
        kept = int((ledger.result("curate", decision.round) or {}).get("kept", 0))
        others = max(0, kept - sum(t.samples for t in taught))
        moves.append(Move(decision, moved(exams, decision, skill), taught, others))
    return moves


def _of_skill(ledger: Ledger, skill: str) -> dict[int, list[Taught]]:
    """Kept samples of a skill in the targeted arm, by round, most first."""
    rows = ledger.rows(
        "select s.round, json_extract(s.body, '$.weakness'), count(*) "
        "from records s cross join records f on f.kind = 'fate' and f.subject = s.id "  # cross: samples first
        "where s.kind = 'sample' and json_extract(s.body, '$.task.skill') = ? and +s.subject = 'targeted' "
        "and +s.round > 0 "  # not what an earlier run wrote
        "and json_extract(f.body, '$.kept') group by 1, 2 order by 1, 3 desc",
        skill,
    )
    found: dict[int, list[Taught]] = {}
    for round, weakness, count in rows:
        known = ledger.get(Weakness, weakness) if weakness else None
        found.setdefault(int(round), []).append(Taught(skill, known, int(count)))
    return found


def added(ledger: Ledger, round: int) -> list[Taught]:
    """Samples of the targeted arm that a round kept, by skill and weakness."""
    rows = ledger.rows(
        "select json_extract(s.body, '$.task.skill'), json_extract(s.body, '$.weakness'), count(*) "
        "from records s cross join records f on f.kind = 'fate' and f.subject = s.id "  # cross: samples first
        "where s.kind = 'sample' and s.round = ? and +s.subject = 'targeted' and json_extract(f.body, '$.kept') "
        "group by 1, 2 order by 1, 3 desc",
        round,
    )
    return [Taught(skill, ledger.get(Weakness, weakness) if weakness else None, n) for skill, weakness, n in rows]
