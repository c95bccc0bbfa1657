"""What was withdrawn from a session, and what that touches: samples, the students trained on them, who replaced one.

Nothing is taken out of the record. A retraction says what is no longer believed; withdrawals say which samples go with
it, taints which students learned from them. Rounds that were trained before keep the data they had; later ones, and a
clean retrain, go without.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from .auditions import Audition
from .errors import LedgerError, suggest
from .ledger import Ledger
from .records import Critique, Promotion, Record, Round, Sample
from .reviews import settled

What = Literal["sample", "teacher", "judge"]
PANEL = "panel"
"""Judge under whose name several decide together."""


class Descent(Record):
    """A sample that was made out of another one."""

    kind: ClassVar[str] = "descent"
    filed = ("round", "sample")

    sample: str
    parent: str
    round: int


class Retraction(Record):
    """Something that is no longer believed."""

    kind: ClassVar[str] = "retraction"
    filed = (None, "name")

    what: What
    name: str
    """Id of a sample, or name of a teacher or judge."""
    reason: str
    after: int
    """Last round that was trained by then; later ones go without what is withdrawn."""


class Withdrawal(Record):
    """A sample that goes with a retraction."""

    kind: ClassVar[str] = "withdrawal"
    filed = ("round", "sample")

    sample: str
    round: int
    """Round it was written in."""
    retraction: str
    after: int
    why: str


class Taint(Record):
    """A student that learned from what was withdrawn."""

    kind: ClassVar[str] = "taint"
    filed = ("round", "checkpoint")

    checkpoint: str
    round: int
    """Round that made it; of a clean retrain the round that it repeats."""
    retraction: str
    samples: int
    """Withdrawn samples it was trained on; 0 where only the student it started from was."""


class Replacement(Record):
    """Whether a clean student took the place of a tainted one, and why."""

    kind: ClassVar[str] = "replacement"
    filed = ("round", "tainted")

    round: int
    """Round that made the promoted student that is repeated."""
    retractions: int
    """Retractions it heeds: all there were."""
    tainted: str
    clean: str
    """Digest of the retrained student; empty where none could be trained."""
    path: str
    samples: int
    """What it was trained on."""
    replaced: bool
    reason: str
    bounds: Mapping[str, Mapping[str, float]]
    """By `select` and guard: loss seen, its upper bound and the margin, as shares."""


@dataclass(frozen=True, slots=True)
class Current:
    """The student that a session stands by."""

    digest: str
    path: str
    """Its folder, relative to the run."""
    promoted: Round
    """The round that was promoted; where a clean student took its place, the one that it repeats."""
    tainted: bool

    @property
    def clean(self) -> bool:
        """Whether it took the place of the student that was promoted."""
        return self.digest != self.promoted.checkpoint


@dataclass(frozen=True, slots=True)
class Touched:
    """What a retraction comes to."""

    retraction: Retraction
    withdrawals: tuple[Withdrawal, ...]
    taints: tuple[Taint, ...]


def current(ledger: Ledger) -> Current | None:
    """The student that was promoted last, or the clean one in its place; None where nothing was promoted."""
    promoted = next((p.candidate for p in reversed(ledger.read(Promotion)) if p.promoted), None)
    if promoted is None:
        return None
    made = next(r for r in ledger.read(Round, subject="targeted") if r.checkpoint == promoted)
    digest, path = promoted, made.path
    for replacement in ledger.read(Replacement):
        if replacement.replaced and replacement.tainted == digest:
            digest, path = replacement.clean, replacement.path
    return Current(digest, path, made, digest in tainted(ledger))


def due(ledger: Ledger) -> bool:
    """Whether the student is tainted and no clean one was tried since the last retraction."""
    now, retractions = current(ledger), ledger.count(Retraction)
    tried = {(r.tainted, r.retractions) for r in ledger.read(Replacement)}
    return now is not None and now.tainted and (now.digest, retractions) not in tried


def tainted(ledger: Ledger) -> set[str]:
    """Digests of the students that learned from something withdrawn."""
    return {taint.checkpoint for taint in ledger.read(Taint)}


def withdrawn(ledger: Ledger, *, until: int | None = None) -> dict[str, str]:
    """Why a sample was withdrawn, by its id.

    Args:
        ledger: of the run.
        until: only what a round with this number was, or would be, trained without.
    """
    return {w.sample: w.why for w in ledger.read(Withdrawal) if until is None or w.after < until}


def refusals(ledger: Ledger, samples: Iterable[Sample], critiques: Sequence[Critique]) -> dict[str, str]:
    """Why new samples are turned down since their teacher, or everybody who accepted them, was withdrawn."""
    found: dict[str, str] = {}
    samples = list(samples)
    for retraction in ledger.read(Retraction):
        if retraction.what != "sample":
            found |= _direct(ledger, retraction.what, retraction.name, samples, critiques)
    return found


def retract(ledger: Ledger, what: What, name: str, reason: str) -> Touched:
    """Say what a retraction withdraws and taints; nothing is written.

    Args:
        ledger: of the run.
        what: kind of thing.
        name: id of a sample (or as many of its digits as name it alone), or name of a teacher or judge.
        reason: why, in a person's words.

    Raises:
        LedgerError: there is no such thing in this session, or nothing came of it.
    """
    if what == "sample":
        name = ledger.find(Sample, name).id
    samples = [sample for sample in ledger.read(Sample) if sample.arm == "targeted"]
    trained = ledger.read(Round, subject="targeted")
    known = withdrawn(ledger)
    retraction = Retraction(what=what, name=name, reason=reason, after=max((r.number for r in trained), default=0))
    direct = _direct(ledger, what, name, samples, ledger.read(Critique))
    if not direct:
        raise LedgerError(f"{ledger.path}: {_nothing(ledger, what, name, samples)}")
    why = direct | _descendants(ledger, direct)
    rounds = {sample.id: sample.round for sample in samples}
    withdrawals = tuple(
        Withdrawal(sample=id, round=rounds[id], retraction=retraction.id, after=retraction.after, why=why[id])
        for id in sorted(why)
        if id in rounds and id not in known
    )
    return Touched(retraction, withdrawals, tuple(_taints(ledger, retraction, trained, withdrawals)))


def _direct(
    ledger: Ledger, what: What, name: str, samples: Sequence[Sample], critiques: Sequence[Critique]
) -> dict[str, str]:
    """Samples that a retraction names itself."""
    why = f"withdrawn: {what} {name!r}"
    if what == "sample":
        return {sample.id: why for sample in samples if sample.id == name}
    if what == "teacher":
        return {sample.id: why for sample in samples if sample.teacher == name}
    judges = {name, PANEL} if any(a.judge == name and a.sound for a in ledger.read(Audition)) else {name}
    accepted: dict[str, set[str]] = defaultdict(set)
    for critique in critiques:
        if critique.accepted:
            accepted[critique.sample].add(critique.judge)
    # a panel decides together: nobody knows what it would have said without one of its members
    return {sample.id: why for sample in samples if accepted[sample.id] and accepted[sample.id] <= judges}


def _descendants(ledger: Ledger, parents: Iterable[str]) -> dict[str, str]:
    """Samples that were made out of others, and out of those, and so on."""
    children: dict[str, list[str]] = defaultdict(list)
    for descent in ledger.read(Descent):
        children[descent.parent].append(descent.sample)
    found: dict[str, str] = {}
    pending = list(parents)
    while pending:
        parent = pending.pop()
        for child in children.pop(parent, []):
            found[child] = f"withdrawn: made out of {parent}"
            pending.append(child)
    return found


def _taints(
    ledger: Ledger, retraction: Retraction, trained: Sequence[Round], withdrawals: Sequence[Withdrawal]
) -> Iterable[Taint]:
    """Students that learned from the samples, or went on from one that did."""
    gone, learned = {w.sample for w in withdrawals}, set[str]()
    kept = {fate.sample: fate.round for fate in settled(ledger) if fate.kept and fate.sample in gone}
    for refused in {r for r in kept.values() if (ledger.result("review", r) or {}).get("approved") is False}:
        kept = {sample: round for sample, round in kept.items() if round != refused}
    for made in sorted(trained, key=lambda r: r.number):
        count = sum(round <= made.number for round in kept.values())
        if count or made.start in learned:
            learned.add(made.checkpoint)
            yield Taint(checkpoint=made.checkpoint, round=made.number, retraction=retraction.id, samples=count)
    for repeated in ledger.read(Replacement):
        count = sum(round <= repeated.round for round in kept.values())
        if count and repeated.clean:
            yield Taint(checkpoint=repeated.clean, round=repeated.round, retraction=retraction.id, samples=count)


def _nothing(ledger: Ledger, what: What, name: str, samples: Sequence[Sample]) -> str:
    """Why a retraction names nothing, and what it could name."""
    if what == "sample":
        return f"sample {name!r} is not of the targeted arm; no student is promoted that was trained on the control arm"
    known = {s.teacher for s in samples} if what == "teacher" else {c.judge for c in ledger.read(Critique)}
    known |= {a.judge for a in ledger.read(Audition)} if what == "judge" else set()
    if name in known:
        return f"no sample was accepted by judge {name!r} alone, so nothing is withdrawn with it"
    listed = sorted(known)
    return f"no {what} {name!r} in this session{suggest(name, listed)}; known: {', '.join(listed) or 'none'}"
