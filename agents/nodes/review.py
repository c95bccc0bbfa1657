"""Wait for a person, where the scenario asks for one.

A decision is a file, `review/round-001.json` with `{"approved": true}`; without it the session stops here with status
`waiting`, releases its lock, and `evolvent resume` goes on once the file is there.
"""

import json

from langgraph.types import interrupt

from ...memory.effects import Outcome
from ...memory.errors import RunError
from ..desk import Desk
from ..node import Node, State, Update


class Approval(Node):
    """Ask for approval of the round's data before it is trained on."""

    async def run(self, state: State, desk: Desk) -> Update:
        """Take the decision in, or stop until there is one."""
        round = state["round"]
        if not desk.scenario.review:
            return {"approved": True}
        path = desk.path(f"review/round-{round:03d}.json")
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            interrupt({"round": round, "write": str(path)})

        async def work() -> Outcome:
            try:
                approved = json.loads(path.read_text())["approved"]
            except (OSError, ValueError, KeyError, TypeError):
                approved = None
            if not isinstance(approved, bool):
                raise RunError(f'{path}: write {{"approved": true}} or {{"approved": false}}')
            return Outcome({"approved": approved})

        seen = await desk.effects.once("review", round, work, inputs={})
        if not seen["approved"]:
            desk.forget_duplicates()
        return {"approved": seen["approved"]}
