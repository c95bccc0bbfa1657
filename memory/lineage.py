"""Where a sample comes from and what became of it, joined from the records that point at each other."""

from dataclasses import dataclass

from .ledger import Ledger
from .records import Attempt, Critique, Fate, Promotion, Round, Sample, Weakness


@dataclass(frozen=True, slots=True)
class Lineage:
    """One sample from the failures it answers to the checkpoints that learned from it."""

    sample: Sample
    weakness: Weakness | None
    failures: tuple[Attempt, ...]
    critiques: tuple[Critique, ...]
    fate: Fate | None
    """None until the round is curated."""
    trained_in: tuple[Round, ...]
    promoted_in: tuple[Promotion, ...]
    """Promotions of students that were trained on it."""


def lineage(ledger: Ledger, sample: str) -> Lineage:
    """Follow a sample both ways.

    Raises:
        LedgerError: there is no such sample.
    """
    own = ledger.get(Sample, sample)
    fates = ledger.read(Fate, subject=sample)
    fate = fates[-1] if fates else None
    rounds = [r for r in ledger.read(Round, subject=own.arm) if fate and fate.kept and r.number >= own.round]
    learned = {r.checkpoint for r in rounds}
    return Lineage(
        sample=own,
        weakness=ledger.get(Weakness, own.weakness) if own.weakness else None,
        failures=tuple(ledger.get(Attempt, id) for id in own.failures),
        critiques=tuple(ledger.read(Critique, subject=sample)),
        fate=fate,
        trained_in=tuple(rounds),
        promoted_in=tuple(p for p in ledger.read(Promotion) if p.promoted and p.candidate in learned),
    )
