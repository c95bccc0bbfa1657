"""What programs say of samples, before or instead of any judge, and the verifier where there is a second answer."""

from collections.abc import Sequence

from ...memory.records import Critique, Sample
from ...scenarios.source import identity
from ..desk import Desk

FORMAT = "format"
"""Judge of what cannot be used at all, whatever it says."""


async def check(samples: Sequence[Sample], desk: Desk) -> list[Critique | None]:
    """What the source's other program says of each sample; None where there is none, and no reason to refuse it."""
    found = [_refused(sample, desk) for sample in samples]
    pairs = [
        (place, sample, worked)
        for place, sample in enumerate(samples)
        if found[place] is None and (worked := desk.parts.source.solve(sample.task) or _taken_over(sample)) is not None
    ]
    verifier = desk.parts.verifier
    verdicts = await verifier.judged(
        [sample.task.model_copy(update={"answer": worked}) for _, sample, worked in pairs],
        [s.origin.judged(s.task.answer) if s.origin else s.task.answer for _, s, _ in pairs],
        models=desk.models,
    )
    for (place, sample, _), verdict in zip(pairs, verdicts, strict=True):
        found[place] = critique(sample, verifier.name, verdict.passed, verdict.reason or "both ways agree")
    return found


def critique(sample: Sample, judge: str, accepted: bool, reason: str) -> Critique:
    """A critique of a sample."""
    return Critique(sample=sample.id, round=sample.round, judge=judge, accepted=accepted, reason=reason)


def _refused(sample: Sample, desk: Desk) -> Critique | None:
    """What is said of a sample whatever its answer is."""
    reasoning = sample.origin.reasoning if sample.origin else ""
    if (strange := desk.reader.unreadable(sample.task.prompt + reasoning + sample.task.answer)) is not None:
        return critique(sample, FORMAT, False, f"unreadable: it holds {strange!r}, which the student cannot read")
    if (reason := desk.parts.teacher.refuse(sample, desk.splits) or desk.parts.fault(sample)) is not None:
        return critique(sample, FORMAT, False, reason)
    if (part := desk.splits.owner(sample.task.key)) != "train":
        # a reason would quote the reference, and a repair would tell it to whoever writes
        return critique(sample, FORMAT, True, f"not looked at: it belongs to the {part} split, and curation drops it")
    return None


def _taken_over(sample: Sample) -> str | None:
    """The reference of the item that a sample takes its question from: reasoning has to lead there."""
    # what a person edited was edited since the original may be wrong
    parents = [p for p in sample.origin.parents if p.kind != "sample"] if sample.origin else []
    own = identity(sample.task.prompt)
    return next((parent.answer for parent in parents if identity(parent.prompt) == own), None)
