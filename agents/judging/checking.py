"""What programs say of a sample, before or instead of any judge."""

from ...memory.records import Critique, Sample
from ...scenarios.source import identity
from ..desk import Desk

FORMAT = "format"
"""Judge of what cannot be used at all, whatever it says."""


def check(sample: Sample, desk: Desk) -> Critique | None:
    """What the source's other program says of a sample; None where there is none, and no reason to refuse it."""
    reasoning = sample.origin.reasoning if sample.origin else ""
    if (strange := desk.reader.unreadable(sample.task.prompt + reasoning + sample.task.answer)) is not None:
        return critique(sample, FORMAT, False, f"unreadable: it holds {strange!r}, which the student cannot read")
    if (reason := desk.parts.teacher.refuse(sample, desk.splits) or desk.parts.fault(sample)) is not None:
        return critique(sample, FORMAT, False, reason)
    if (part := desk.splits.owner(sample.task.key)) != "train":
        # a reason would quote the reference, and a repair would tell it to whoever writes
        return critique(sample, FORMAT, True, f"not looked at: it belongs to the {part} split, and curation drops it")
    worked = desk.parts.source.solve(sample.task) or _taken_over(sample)
    if worked is None:
        return None
    said = sample.origin.judged(sample.task.answer) if sample.origin else sample.task.answer
    verdict = desk.parts.verifier.judge(sample.task.model_copy(update={"answer": worked}), said)
    return critique(sample, desk.parts.verifier.name, verdict.passed, verdict.reason or "both ways agree")


def critique(sample: Sample, judge: str, accepted: bool, reason: str) -> Critique:
    """A critique of a sample."""
    return Critique(sample=sample.id, round=sample.round, judge=judge, accepted=accepted, reason=reason)


def _taken_over(sample: Sample) -> str | None:
    """The reference of the item that a sample takes its question from: reasoning has to lead there."""
    # what a person edited was edited since the original may be wrong
    parents = [p for p in sample.origin.parents if p.kind != "sample"] if sample.origin else []
    own = identity(sample.task.prompt)
    return next((parent.answer for parent in parents if identity(parent.prompt) == own), None)
