"""Wait for a person, where the scenario asks for one.

The session stops here with status `waiting` and releases its lock until every sample of the queue is decided, by
`evolvent review`, in the viewer or by a file; `evolvent resume` then takes the decisions in. What is not decided waits.
"""

from langgraph.types import interrupt

from ...memory.choices import place, stand
from ...memory.effects import Outcome
from ...memory.queue import queue
from ..desk import Desk
from ..node import Node, State, Update
from ..reviewing import take_in


class Approval(Node):
    """Ask a person about the round's data before it is trained on."""

    async def run(self, state: State, desk: Desk) -> Update:
        """Take the decisions in, or stop until all are there."""
        round = state["round"]
        if not desk.scenario.review:
            return {"approved": True}
        if desk.ledger.result("review", round) is None:
            _wait(round, desk)

        async def work() -> Outcome:
            entries = queue(desk.ledger, round)
            now = stand(desk.run, desk.session.id, round, entries)
            if now.approved is False:
                return Outcome({"approved": False})
            return await take_in(now.choices, [entry.sample for entry in entries], round=round, desk=desk)

        seen = await desk.effects.once("review", round, work, inputs={})
        desk.say("review", round=round, **seen)
        desk.forget_duplicates()
        return {"approved": seen["approved"]}


def _wait(round: int, desk: Desk) -> None:
    """Stop the session while something is undecided."""
    now = stand(desk.run, desk.session.id, round, queue(desk.ledger, round))
    if now.undecided:
        own = place(desk.run, round)
        own.mkdir(parents=True, exist_ok=True)
        interrupt({"round": round, "waiting": len(now.undecided), "folder": str(own)})
