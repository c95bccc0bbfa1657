"""Better candidates: what an enhancer changes is a new sample with the old one as its parent, and is checked anew.

Where the source can work a task a second time its verifier decides on the change. The question of a conversation stays
as it is. What an enhancer refuses, and what a changed sample stands in for, keeps the reason in its fate.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..memory.records import Record, Sample
from ..memory.retraction import Descent
from ..training.curation.enhancer import Change, Enhancer
from ..training.curation.pool import require
from .desk import Desk
from .rewriting import recheck, rewritten
from .selecting import context_of, pool_of


class Enhanced(NamedTuple):
    """What enhancers left of a round's candidates."""

    made: tuple[Sample, ...]
    """What stands in the place of candidates that were changed."""
    refused: Mapping[str, str]
    """Why candidates are not trained on as they are, by sample; made ones among them."""
    records: tuple[Record, ...]
    """For the ledger: what was made, of what, and what was said of it."""


NOTHING = Enhanced((), {}, ())


async def enhance(samples: Sequence[Sample], desk: Desk, *, round: int, student: str) -> Enhanced:
    """Have every enhancer of the scenario look at the candidates, one enhancer after another.

    Args:
        samples: candidates that nobody has refused yet.
        desk: where.
        round: the round.
        student: folder of the promoted student, relative to the run.
    """
    found, current = NOTHING, list(samples)
    if not desk.parts.curators.enhancers or not samples:
        return found
    context = context_of(desk, round=round, student=student)
    for enhancer in desk.parts.curators.enhancers:
        pool = pool_of(current, desk)
        require(f"enhancer {enhancer.name!r}", pool, context, enhancer.needs)
        changes = dict(zip(pool.ids, await enhancer.enhance(pool, context), strict=True))
        step = await _apply(current, changes, enhancer, desk)
        current = [s for s in (*current, *step.made) if s.id not in step.refused]
        found = Enhanced(found.made + step.made, {**found.refused, **step.refused}, found.records + step.records)
    return found


async def _apply(samples: Sequence[Sample], changes: Mapping[str, Change], enhancer: Enhancer, desk: Desk) -> Enhanced:
    """Turn what one enhancer says into samples and reasons."""
    made: dict[str, Sample] = {}
    refused: dict[str, str] = {}
    descents: list[Descent] = []
    known = {sample.id for sample in samples}
    for sample in samples:
        change = changes[sample.id]
        if change.refused:
            refused[sample.id] = f"{enhancer.name}: {change.refused}"
            continue
        new = _changed(sample, change, enhancer, desk)
        if new.id == sample.id:
            continue
        refused[sample.id] = f"{enhancer.name}: {new.id} stands in its place"
        if new.id in known or new.id in made:
            continue
        made[new.id] = new
        descents.append(Descent(sample=new.id, parent=sample.id, round=new.round))
    said = await recheck([*made.values()], desk, by=[enhancer.name] * len(made), judge=enhancer.name)
    refused |= {critique.sample: f"critique: {critique.reason}" for critique in said if not critique.accepted}
    return Enhanced(tuple(made.values()), refused, (*made.values(), *descents, *said))


def _changed(sample: Sample, change: Change, enhancer: Enhancer, desk: Desk) -> Sample:
    """The sample in the enhancer's words; itself where nothing changes."""
    prompt = None if sample.task.talk else change.question
    completion = sample.completion if change.answer is None else change.answer
    if completion == sample.completion and prompt in (None, sample.task.prompt):
        return sample
    reasoning, answer = sample.origin.parted(completion) if sample.origin else ("", completion)
    return rewritten(
        sample, desk, operator=enhancer.name, teacher=sample.teacher, recipe=f"enhancer {enhancer.name}",
        prompt=prompt, answer=answer, reasoning=reasoning,
    )  # fmt: skip
