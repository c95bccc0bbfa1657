"""Have the teacher write samples for every share of the budget, and again for those that critique turned down."""

from collections import Counter
from math import ceil

from ...memory.effects import Outcome
from ...memory.records import Critique, Sample, Share, Weakness
from ...memory.trace import span, spent
from ..desk import Desk
from ..node import Node, State, Update
from ..operating import gather
from ..reviewing import rejected


class Generation(Node):
    """Write the round's candidates."""

    async def run(self, state: State, desk: Desk) -> Update:
        """Record candidates; a later attempt only fills what is missing."""
        round, attempt = state["round"], state["attempt"] + 1

        async def work() -> Outcome:
            missing = _missing(round, desk)
            weaknesses = {w.id: w for w in desk.ledger.read(Weakness)}
            written: list[Sample] = []
            beside = [*desk.ledger.read(Sample, round=round), *rejected(desk)]
            known = {*desk.duplicates.keys, *(sample.task.key for sample in beside)}
            embed = desk.recall.embedder.embed if desk.parts.teacher.likens else None
            for share, count in missing.items():
                with span("write", skill=share.skill, samples=count), spent("curation"):
                    weakness = weaknesses[share.weakness] if share.weakness else None
                    material = gather(desk.parts.operators, weakness, [*weaknesses.values()], desk.ledger, embed=embed)
                    made = await desk.parts.teacher.write(
                        share, weakness, count, desk.splits,
                        attempt=attempt, beside=known, material=material, models=desk.models,
                    )  # fmt: skip
                    written += made
                    known |= {sample.task.key for sample in made}
            return Outcome({"written": len(written)}, written)

        described = desk.parts.describe()
        inputs = {name: described[name] for name in ("teacher", "operators") if name in described}
        seen = await desk.effects.once(f"generate.{attempt}", round, work, inputs=inputs)
        desk.say("generate", round=round, attempt=attempt, written=seen["written"])
        return {"attempt": attempt}


def _missing(round: int, desk: Desk) -> dict[Share, int]:
    """How many accepted candidates every share still lacks."""
    refused = {c.sample for c in desk.ledger.read(Critique, round=round) if not c.accepted}
    written = desk.ledger.read(Sample, round=round, subject="targeted")
    usable = (s for s in written if s.id not in refused and desk.splits.owner(s.task.key) == "train")
    good = Counter((s.task.skill, s.weakness) for s in usable)
    lacking: dict[Share, int] = {}
    for share in desk.ledger.read(Share, round=round):
        wanted = ceil(desk.scenario.curation.candidates * share.samples)
        have = min(wanted, good[share.skill, share.weakness])
        good[share.skill, share.weakness] -= have
        if wanted > have:
            lacking[share] = wanted - have
    return lacking
