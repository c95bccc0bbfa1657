"""What an id stands for, where it may be a sample, an attempt or a weakness; and what came of a failure."""

from dataclasses import dataclass

from .errors import LedgerError
from .ledger import Ledger
from .records import Attempt, Observation, Record, Sample, Weakness

KINDS: tuple[type[Record], ...] = (Sample, Attempt, Weakness)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one weakness."""

    weakness: Weakness
    life: tuple[Observation, ...]
    """Its states, round by round."""
    failures: tuple[Attempt, ...]
    """What it was inferred from."""
    samples: tuple[str, ...]
    """Ids of what was written against it."""


def named(ledger: Ledger, prefix: str) -> Record:
    """Read the one sample, attempt or weakness whose id begins with `prefix`.

    Raises:
        LedgerError: there is none, or there are several.
    """
    found = ledger.rows(
        "select kind, id from records where kind in ('sample', 'attempt', 'weakness') and id >= ? and id < ? "
        "order by id limit 4",
        prefix,
        prefix + "g",  # ids are hexadecimal
    )
    if len(found) > 1:
        known = ", ".join(f"{kind} {id}" for kind, id in found)
        raise LedgerError(f"{ledger.path}: several ids begin with {prefix!r}: {known} …; write more of it")
    kind, id = found[0] if found else ("sample", prefix)
    return ledger.get(next(record for record in KINDS if record.kind == kind), id)


def inferred(ledger: Ledger, attempt: Attempt) -> list[Weakness]:
    """Weaknesses that were inferred from an attempt."""
    found = ledger.read(Weakness, subject=attempt.task.skill)
    return [weakness for weakness in found if attempt.id in weakness.failures]


def known(ledger: Ledger, weakness: Weakness) -> Known:
    """Follow a weakness both ways."""
    samples = ledger.rows(
        "select id from records where kind = 'sample' and json_extract(body, '$.weakness') = ? order by seq",
        weakness.id,
    )
    return Known(
        weakness=weakness,
        life=tuple(ledger.read(Observation, subject=weakness.id)),
        failures=tuple(ledger.get(Attempt, id) for id in weakness.failures),
        samples=tuple(str(id) for (id,) in samples),
    )
