"""Promote the candidate if the gate says so; otherwise the student stays what it was."""

from ...memory.effects import Outcome
from ...memory.records import Promotion
from ..comparing import guards, target
from ..desk import Desk
from ..keeping import tidy
from ..node import Node, State, Update


class Decision(Node):
    """Apply the promotion gate."""

    async def run(self, state: State, desk: Desk) -> Update:
        """Record the decision with its numbers."""
        round, candidate = state["round"], state["candidate"]

        async def work() -> Outcome:
            changed = target(desk, state["student"], candidate)
            harm = guards(desk, state["student"], candidate)
            decision = desk.gate.decide(changed, harm, round=round, rounds=desk.scenario.rounds.most)
            promotion = Promotion(
                round=round,
                incumbent=state["student"],
                candidate=candidate,
                promoted=decision.promoted,
                reason=decision.reason,
                alpha=decision.alpha,
                gained=changed.gained,
                lost=changed.lost,
                gain=decision.gain,
                test=decision.test,
                p_value=decision.p_value,
                guards=decision.guards,
                guard_tests=decision.guard_tests,
            )
            return Outcome({"promoted": decision.promoted, "reason": decision.reason}, [promotion])

        inputs = {"incumbent": state["student"], "candidate": candidate}
        seen = await desk.effects.once("decide", round, work, inputs=inputs)
        desk.say("decide", round=round, promoted=seen["promoted"], reason=seen["reason"])
        await tidy(desk, round)
        if seen["promoted"]:
            return {"student": candidate, "path": state["candidate_path"]}
        return {}
