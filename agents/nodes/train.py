"""Train a candidate on everything accumulated."""

from ...memory.errors import EvolventError
from ...memory.records import Critique, Sample
from ...memory.reviews import settled
from ..desk import BASE, Desk
from ..node import Node, State, Update
from ..rounds import train_round


class Training(Node):
    """One round of training, as one folder that is whole or not there."""

    async def run(self, state: State, desk: Desk) -> Update:
        """Record the round; a finished one is never trained again."""
        round = state["round"]
        start = state["path"] if desk.parts.trainer.start == "promoted" else BASE
        # a session may go through its steps again after later rounds were curated
        samples = desk.kept(until=round)
        if not samples:
            raise EvolventError(
                f"{desk.run}: nothing was kept to train on up to round {round}; its report says what was rejected"
            )
        history = {
            "candidates": desk.ledger.read(Sample, round=round, subject="targeted"),
            "fates": settled(desk.ledger, round=round),
            "critiques": desk.ledger.read(Critique, round=round),
        }
        made = await train_round(
            desk, round, samples, arm="targeted", start=start, student=state["path"], history=history
        )
        told = {k: made[k] for k in ("samples", "solved", "steps", "loss", "seconds") if k in made}
        # a round of an earlier version has none
        alarm = made.get("repetition")
        desk.say("train", round=round, **told, **({"repetition": alarm} if alarm else {}))
        return {"candidate": made["checkpoint"], "candidate_path": made["path"]}
