"""Make candidates better and decide which are trained on; those that are not keep the reason."""

from collections import Counter

from ...memory.effects import Outcome
from ...memory.records import Critique, Sample
from ...memory.retraction import refusals
from ...memory.trace import spent
from ..curating import sift
from ..desk import Desk, hash_samples
from ..enhancing import enhance
from ..node import Node, State, Update
from ..reviewing import like_rejected
from ..selecting import choose


class Curation(Node):
    """Filter the round's candidates."""

    async def run(self, state: State, desk: Desk) -> Update:
        """Record the fate of every candidate."""
        round = state["round"]

        async def work() -> Outcome:
            with spent("curation"):
                refused = {
                    c.sample: f"critique: {c.reason}" for c in desk.ledger.read(Critique, round=round) if not c.accepted
                }
                candidates = desk.ledger.read(Sample, round=round, subject="targeted")
                refused |= refusals(desk.ledger, candidates, desk.ledger.read(Critique, round=round))
                refused = like_rejected(candidates, desk) | refused
                good = [s for s in candidates if s.id not in refused]
                better = await enhance(good, desk, round=round, student=state["path"])
                refused = {**refused, **like_rejected(better.made, desk), **better.refused}
                candidates = [*candidates, *better.made]
                done = sift(candidates, round=round, desk=desk, duplicates=desk.duplicates, refused=refused)
                done = await choose(done, desk, round=round, student=state["path"])
            why = Counter(f.reason.split(":")[0] for f in done.fates if not f.kept)
            return Outcome(
                {"kept": len(done.kept), "rejected": dict(why), "hash": hash_samples(done.kept)},
                [*better.records, *done.fates],
            )

        seen = await desk.effects.once("curate", round, work, inputs=desk.scenario.curation.model_dump(mode="json"))
        desk.say("curate", round=round, kept=seen["kept"], rejected=seen["rejected"])
        return {}
