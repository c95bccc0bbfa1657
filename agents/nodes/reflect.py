"""Put what was tried, and what came of it, into memory."""

from ...memory.effects import Outcome
from ...memory.records import Attempt
from ..desk import Desk
from ..lives import lives
from ..mapping import mapped
from ..node import Node, State, Update
from ..remembering import failure_entries, weakness_entries


class Reflection(Node):
    """Remember the round's failures and the state of every weakness, and place what is new on the session's map."""

    async def run(self, state: State, desk: Desk) -> Update:
        """Write the round into the vector memory, and go on to the next."""
        round = state["round"]

        async def work() -> Outcome:
            failures = [a for a in desk.ledger.read(Attempt, round=round) if a.purpose == "probe"]
            entries = [*weakness_entries(lives(desk.ledger), round), *failure_entries(failures)]
            desk.recall.remember(f"round-{round:03d}", entries)
            return Outcome({"remembered": len(entries), "map": mapped(desk.ledger, desk.recall.embedder, round)})

        await desk.effects.once("reflect", round, work, inputs={"student": state["student"]})
        return {"round": round + 1, "candidate": "", "candidate_path": ""}
