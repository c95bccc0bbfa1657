"""Taking in what a person decided of a round: what was edited is a new sample and is checked like any other.

Where the source can work a task a second time its verifier decides on an edit too, and overrules the person; where it
cannot, the person has. Nothing that was rejected, and nothing that repeats it, is kept in a later round.
"""

from collections.abc import Mapping, Sequence

from ..memory.choices import Choice
from ..memory.effects import Outcome
from ..memory.records import Sample
from ..memory.retraction import Descent
from ..memory.reviews import Review
from .curating import sift
from .desk import Desk
from .rewriting import recheck, rewritten

PERSON = "person"
"""Teacher of what a person edited, and judge of what no program can decide."""
EDIT = "edit"
"""Operator of the same."""


async def take_in(choices: Mapping[str, Choice], samples: Sequence[Sample], *, round: int, desk: Desk) -> Outcome:
    """Record a decision per sample, and edited samples with their critiques and fates.

    Args:
        choices: by sample; what is not in it was accepted with all the rest of the round.
        samples: those that curation kept in the round.
        round: the round.
        desk: where.
    """
    made = {s.id: choices.get(s.id) or Choice(sample=s.id, action="accept", reason="the whole round") for s in samples}
    edited = {s.id: edit(s, made[s.id], desk) for s in samples if made[s.id].action == "edit"}
    critiques = await recheck([*edited.values()], desk, by=[made[old].by for old in edited], judge=PERSON)
    accepted = [s for s in samples if made[s.id].action == "accept"]
    # the original is no longer kept, so an edit does not repeat it
    known = desk.no_duplicates()
    known.add([*desk.kept(until=round - 1), *accepted])
    refused = {c.sample: f"critique: {c.reason}" for c in critiques if not c.accepted}
    done = sift(list(edited.values()), round=round, desk=desk, duplicates=known, refused=refused)
    reviews = [_review(made[s.id], edited.get(s.id), round) for s in samples]
    descents = [Descent(sample=new.id, parent=old, round=round) for old, new in edited.items()]
    counts = {
        "accepted": len(accepted),
        "edited": len(done.kept),
        "edits_refused": len(edited) - len(done.kept),
        "rejected": len(samples) - len(accepted) - len(edited),
    }
    approved = bool(accepted or done.kept) or not samples
    return Outcome({"approved": approved, **counts}, [*edited.values(), *descents, *critiques, *done.fates, *reviews])


def edit(sample: Sample, choice: Choice, desk: Desk) -> Sample:
    """The sample as a person would have it, with its lineage and the original as its parent."""
    return rewritten(
        sample, desk, operator=EDIT, teacher=PERSON,
        recipe=f"edited by {choice.by}{f': {choice.reason}' if choice.reason else ''}",
        prompt=choice.prompt, answer=choice.answer, reasoning=choice.reasoning,
    )  # fmt: skip


def rejected(desk: Desk) -> list[Sample]:
    """What a person rejected, sample by sample, in any round."""
    ids = {review.sample for review in desk.ledger.read(Review) if review.action == "reject"}
    return [s for s in desk.ledger.read(Sample, subject="targeted") if s.id in ids] if ids else []


def like_rejected(candidates: Sequence[Sample], desk: Desk) -> dict[str, str]:
    """Reasons to refuse what repeats something a person rejected, by sample."""
    if not (turned_down := rejected(desk)):
        return {}
    known = desk.no_duplicates()
    known.add(turned_down)
    found = {sample.id: known.find(sample) for sample in candidates}
    return {id: f"review: like {hit.sample}, which a person rejected" for id, hit in found.items() if hit is not None}


def _review(choice: Choice, edited: Sample | None, round: int) -> Review:
    return Review(
        sample=choice.sample,
        round=round,
        action=choice.action,
        by=choice.by,
        reason=choice.reason,
        edited=edited.id if edited else None,
    )
