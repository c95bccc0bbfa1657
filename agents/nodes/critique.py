"""Check every candidate by another way than the one that wrote it."""

from ...memory.effects import Outcome
from ...memory.records import Critique, Sample
from ...memory.trace import spent
from ..desk import Desk
from ..node import Node, State, Update


class Judgement(Node):
    """Work every sample a second time and have the verifier compare."""

    async def run(self, state: State, desk: Desk) -> Update:
        """Record a critique per new candidate; say how many are to be written again."""
        round, attempt = state["round"], state["attempt"]

        async def work() -> Outcome:
            judged = {c.sample for c in desk.ledger.read(Critique, round=round)}
            with spent("curation"):
                fresh = [s for s in desk.ledger.read(Sample, round=round, subject="targeted") if s.id not in judged]
                critiques = [_judge(sample, desk) for sample in fresh]
            refused = sum(not c.accepted for c in critiques)
            return Outcome({"judged": len(critiques), "refused": refused}, critiques)

        seen = await desk.effects.once(f"critique.{attempt}", round, work, inputs={})
        desk.say("critique", round=round, judged=seen["judged"], refused=seen["refused"])
        return {"missing": seen["refused"]}


def _judge(sample: Sample, desk: Desk) -> Critique:
    """Compare with what the source's other program says; without one, the reference stands."""
    worked = desk.parts.source.solve(sample.task)
    if worked is None:
        return _critique(sample, "format", bool(sample.task.answer.strip()), "no second way to work it; has an answer")
    verdict = desk.parts.verifier.judge(sample.task.model_copy(update={"answer": worked}), sample.task.answer)
    return _critique(sample, desk.parts.verifier.name, verdict.passed, verdict.reason or "both ways agree")


def _critique(sample: Sample, judge: str, accepted: bool, reason: str) -> Critique:
    return Critique(sample=sample.id, round=sample.round, judge=judge, accepted=accepted, reason=reason)
