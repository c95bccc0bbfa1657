"""Where a sample comes from and what became of it, joined from the records that point at each other."""

from collections.abc import Mapping
from dataclasses import dataclass

from .debates import Debate
from .exams import Flips, moved
from .ledger import Ledger
from .records import Arm, Attempt, Critique, Exam, Fate, Observation, Promotion, Round, Sample, Weakness
from .retention import removals
from .retraction import tainted, withdrawn
from .reviews import Review, settle, settled


@dataclass(frozen=True, slots=True)
class Examined:
    """What the exam of a sample's skill did when a student that was trained on it was examined."""

    decision: Promotion
    flips: Flips | None
    """The skill's items, incumbent against candidate; None where the skill was not examined."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """One sample from the failures it answers to the checkpoints that learned from it."""

    sample: Sample
    weakness: Weakness | None
    life: tuple[Observation, ...]
    """States of the weakness, round by round."""
    failures: tuple[Attempt, ...]
    critiques: tuple[Critique, ...]
    debates: tuple[Debate, ...]
    """What judges who disagreed on it said to each other."""
    fate: Fate | None
    """None until the round is curated; as a person left it, where one was asked."""
    review: Review | None
    """What a person decided of it, where one was asked and has."""
    nearest: Sample | None
    """The sample it collided with, if it did."""
    trained_in: tuple[Round, ...]
    examined: tuple[Examined, ...]
    """By round."""
    withdrawn: str
    """Why it was withdrawn; empty where it was not."""
    marks: Mapping[str, str]
    """What has become of the students of those rounds since, by their digests: weights removed, tainted."""

    @property
    def inherited(self) -> bool:
        """Whether an earlier run wrote it; that one knows why."""
        return self.fate is not None and self.fate.round != self.sample.round

    @property
    def promoted_in(self) -> tuple[Promotion, ...]:
        """Promotions of students that were trained on it."""
        return tuple(e.decision for e in self.examined if e.decision.promoted)


def lineage(ledger: Ledger, sample: str) -> Lineage:
    """Follow a sample both ways.

    Args:
        ledger: of the run.
        sample: its id, or as many of its first digits as name it alone.

    Raises:
        LedgerError: there is no such sample, or there are several.
    """
    own = ledger.find(Sample, sample)
    reviews = ledger.read(Review, subject=own.id)
    review = reviews[-1] if reviews else None
    fates = settle(ledger.read(Fate, subject=own.id), {own.id: review} if review else {})
    fate = fates[-1] if fates else None
    rounds = [r for r in ledger.read(Round, subject=own.arm) if fate and fate.kept and r.number >= fate.round]
    learned = {r.checkpoint for r in rounds}
    exams = ledger.read(Exam) if learned else []
    # what an earlier run wrote answers failures that stand in its own ledger
    weakness = own.weakness if fate is None or fate.round == own.round else None
    return Lineage(
        sample=own,
        weakness=ledger.get(Weakness, weakness) if weakness else None,
        life=tuple(ledger.read(Observation, subject=weakness)) if weakness else (),
        failures=tuple(ledger.get(Attempt, id) for id in own.failures) if weakness else (),
        critiques=tuple(ledger.read(Critique, subject=own.id)),
        debates=tuple(ledger.read(Debate, subject=own.id)),
        fate=fate,
        review=review,
        nearest=_nearest(ledger, fate),
        trained_in=tuple(rounds),
        withdrawn=withdrawn(ledger).get(own.id, ""),
        marks=marks(ledger),
        examined=tuple(
            Examined(p, moved(exams, p, own.task.skill)) for p in ledger.read(Promotion) if p.candidate in learned
        ),
    )


def kept(ledger: Ledger, *, until: int | None = None, arm: Arm = "targeted") -> list[Sample]:
    """Samples an arm trains on, in a fixed order; none a person refused, or withdrew before that round.

    Args:
        ledger: of the run.
        until: only those decided on up to this round; what an earlier run left was decided on before the first.
        arm: which data.
    """
    good = [f for f in settled(ledger) if f.kept and (until is None or f.round <= until)]
    refused = {r for r in {f.round for f in good} if (ledger.result("review", r) or {}).get("approved") is False}
    gone = withdrawn(ledger, until=until)
    ids = {f.sample for f in good if f.round not in refused and f.sample not in gone}
    return sorted((s for s in ledger.read(Sample, subject=arm) if s.id in ids), key=lambda s: s.id)


def marks(ledger: Ledger) -> dict[str, str]:
    """What has become of students since they were trained, by their digests: tainted, weights removed."""
    gone = {removal.checkpoint for removal in removals(ledger).values()}
    bad = tainted(ledger)
    words = {digest: ["tainted"] * (digest in bad) + ["weights removed"] * (digest in gone) for digest in gone | bad}
    return {digest: ", ".join(said) for digest, said in words.items()}


def _nearest(ledger: Ledger, fate: Fate | None) -> Sample | None:
    """Another sample, if the collision was with one; it may also have been with a held-out task."""
    if fate is None or fate.nearest is None:
        return None
    rows = ledger.rows("select body from records where kind = 'sample' and id = ?", fate.nearest)
    return Sample.read(rows[0][0]) if rows else None
