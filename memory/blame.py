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
    for decision in ledger.read(Promotion):
        given = added(ledger, decision.round)
        own = sorted((t for t in given if t.skill == skill), key=lambda t: -t.samples)
        others = sum(t.samples for t in given) - sum(t.samples for t in own)
        moves.append(Move(decision, moved(exams, decision, skill), tuple(own), others))
    return moves


def added(ledger: Ledger, round: int) -> list[Taught]:
    """Samples of the targeted arm that a round kept, by skill and weakness."""
    rows = ledger.rows(
        "select json_extract(s.body, '$.task.skill'), json_extract(s.body, '$.weakness'), count(*) "
        "from records s join records f on f.kind = 'fate' and f.subject = s.id "
        "where s.kind = 'sample' and s.round = ? and s.subject = 'targeted' and json_extract(f.body, '$.kept') "
        "group by 1, 2 order by 1, 3 desc",
        round,
    )
    return [Taught(skill, ledger.get(Weakness, weakness) if weakness else None, n) for skill, weakness, n in rows]
