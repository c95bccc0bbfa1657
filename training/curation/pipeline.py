"""From candidates to what is trained on: what leaks, repeats or is too long goes, with the reason."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ...memory.records import Fate, Sample
from .decontamination import Decontamination
from .duplicates import Duplicates

KEPT = "kept"
NEAR = "kept; written like an item of an exam"
"""Reasons of what is kept."""


@dataclass(frozen=True, slots=True)
class Curated:
    """What became of a round's candidates."""

    kept: tuple[Sample, ...]
    fates: tuple[Fate, ...]


def curate(
    candidates: Sequence[Sample],
    rejected: Mapping[str, str],
    *,
    round: int,
    contamination: Decontamination,
    duplicates: Duplicates,
    too_long: Callable[[Sample], bool],
) -> Curated:
    """Filter candidates in the order of their content, so the outcome does not depend on who finished first.

    Args:
        candidates: what was generated in this round.
        rejected: sample id to reason, for those critique turned down.
        round: the round.
        contamination: knows the exams.
        duplicates: knows what is kept; the kept ones are added to it.
        too_long: whether a sample does not fit into the student's training length.
    """
    ordered = sorted(candidates, key=lambda s: s.id)
    reasons = [_refusal(s, rejected, contamination, too_long) for s in ordered]
    passed = [sample for sample, reason in zip(ordered, reasons, strict=True) if reason is None]
    collisions = iter(duplicates.admit(passed))
    kept: list[Sample] = []
    fates: list[Fate] = []
    for sample, refusal in zip(ordered, reasons, strict=True):
        reason, nearest = refusal, None
        if reason is None and (collision := next(collisions)) is not None:
            reason, nearest = collision
        if reason is None:
            kept.append(sample)
            reason = NEAR if contamination.near(sample.task) else KEPT
        fates.append(Fate(sample=sample.id, round=round, kept=reason in (KEPT, NEAR), reason=reason, nearest=nearest))
    return Curated(tuple(kept), tuple(fates))


def _refusal(
    sample: Sample, rejected: Mapping[str, str], contamination: Decontamination, too_long: Callable[[Sample], bool]
) -> str | None:
    """Say why a sample may not be trained on, whatever else is kept, or None."""
    if (reason := rejected.get(sample.id)) is not None:
        return reason
    return contamination.leak(sample.task) or ("too long for the trainer" if too_long(sample) else None)
