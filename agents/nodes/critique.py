"""Check every candidate by another way than the one that wrote it.

Where the source can work a task a second time, the verifier decides and overrules every judge. Where it cannot, the
teacher's judges decide, those that passed their audition. What was refused for what it says gets one repair, which is
checked like any other candidate.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...memory.debates import Debate
from ...memory.effects import Outcome
from ...memory.records import Critique, Sample
from ...memory.retraction import Descent
from ...memory.trace import spent
from ..desk import Desk
from ..judging.checking import FORMAT, check, critique
from ..judging.jury import Jury, seat
from ..node import Node, State, Update
from ..teacher import Opinion

NOBODY = "nobody"
"""Judge of what no verifier can decide where too few judges are sound; writing it again would not help."""


class _Judged(NamedTuple):
    critiques: list[Critique]
    """In the order of the samples."""
    debates: list[Debate]
    jury: Jury | None
    """Where one was needed."""


class Judgement(Node):
    """Have every sample worked a second time or judged, and repaired once where that is possible."""

    async def run(self, state: State, desk: Desk) -> Update:
        """Record a critique per new candidate, and repairs; say how many are to be written again."""
        round, attempt = state["round"], state["attempt"]

        async def work() -> Outcome:
            judged = {c.sample for c in desk.ledger.read(Critique, round=round)}
            with spent("curation"):
                fresh = [s for s in desk.ledger.read(Sample, round=round, subject="targeted") if s.id not in judged]
                critiques, debates, jury = await _judge(fresh, desk)
                repaired, descents = await _repair(fresh, critiques, desk)
                again, argued, _ = await _judge(repaired, desk)
            made = [*critiques, *again]
            undecided = sum(c.judge == NOBODY for c in critiques)
            refused = sum(not c.accepted for c in critiques) - sum(c.accepted for c in again)
            # what belongs to an exam is thrown away by curation; whoever wrote it is not told, and writes another
            leaks = sum(desk.splits.owner(s.task.key) != "train" for s in _accepted([*fresh, *repaired], made))
            result: dict[str, Any] = {"judged": len(made), "refused": refused, "missing": refused - undecided + leaks}
            return Outcome(
                result | ({"judges": dict(jury.faults)} if jury else {}),
                [*repaired, *descents, *made, *debates, *argued],
            )

        seen = await desk.effects.once(f"critique.{attempt}", round, work, inputs={})
        desk.say("critique", round=round, **{k: v for k, v in seen.items() if k != "missing"})
        return {"missing": seen["missing"]}


def _accepted(samples: Sequence[Sample], critiques: Sequence[Critique]) -> list[Sample]:
    ids = {critique.sample for critique in critiques if critique.accepted}
    return [sample for sample in samples if sample.id in ids]


async def _judge(samples: Sequence[Sample], desk: Desk) -> _Judged:
    """A critique for each sample, and what judges said to each other."""
    debates: list[Debate] = []
    decided = dict(zip([sample.id for sample in samples], await check(samples, desk), strict=True))
    left = [sample for sample in samples if decided[sample.id] is None]
    jury = await seat(desk) if left and desk.parts.teacher.judges else None
    if jury is not None and jury.lacking:
        decided.update({sample.id: critique(sample, NOBODY, False, jury.lacking) for sample in left})
    elif left:
        sound = jury.sound if jury else ()
        opinions = await desk.parts.teacher.judge(left, sound=sound, models=desk.models)
        decided.update({s.id: opined(s, opinion) for s, opinion in zip(left, opinions, strict=True)})
        debates = [
            Debate(sample=s.id, round=s.round, turns=opinion.turns)
            for s, opinion in zip(left, opinions, strict=True)
            if opinion is not None and opinion.turns
        ]
    return _Judged([c for sample in samples if (c := decided[sample.id]) is not None], debates, jury)


def opined(sample: Sample, opinion: Opinion | None) -> Critique:
    """What the judges decided of a sample that no program decides; without judges, that it has an answer."""
    if opinion is not None:
        return critique(sample, "panel", opinion.accepted, opinion.reason)
    return critique(sample, FORMAT, bool(sample.task.answer.strip()), "no second way to work it; has an answer")


async def _repair(
    samples: Sequence[Sample], critiques: Sequence[Critique], desk: Desk
) -> tuple[list[Sample], list[Descent]]:
    """New versions of what was refused for what it says, and out of which sample each was made."""
    refused = [
        (sample, said.reason)
        for sample, said in zip(samples, critiques, strict=True)
        if not said.accepted and said.judge not in (FORMAT, NOBODY)
    ]
    if not refused:
        return [], []
    # an id holds the round, so only samples of this one can be the same
    known = {sample.id for sample in desk.ledger.read(Sample, round=refused[0][0].round, subject="targeted")}
    made = await desk.parts.teacher.repair(refused, desk.splits, models=desk.models)
    pairs = [(old, new) for (old, _), new in zip(refused, made, strict=True) if new is not None and new.id not in known]
    descents = [Descent(sample=new.id, parent=old.id, round=new.round) for old, new in pairs]
    return list({new.id: new for _, new in pairs}.values()), descents
