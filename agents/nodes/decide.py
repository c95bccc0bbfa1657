"""Promote the candidate if the gate says so; otherwise the student stays what it was."""

from ...memory.effects import Outcome
from ...memory.records import Exam, Promotion
from ...training.exam import pick
from ...training.pairing import Paired, pair
from ..desk import Desk
from ..keeping import tidy
from ..lives import histories
from ..node import Node, State, Update

SINCE_START = " since the start"


class Decision(Node):
    """Apply the promotion gate."""

    async def run(self, state: State, desk: Desk) -> Update:
        """Record the decision with its numbers."""
        round, candidate = state["round"], state["candidate"]

        async def work() -> Outcome:
            target = self._target(desk, state)
            decision = desk.gate.decide(target, _guards(desk, state), round=round, rounds=desk.scenario.rounds.most)
            promotion = Promotion(
                round=round,
                incumbent=state["student"],
                candidate=candidate,
                promoted=decision.promoted,
                reason=decision.reason,
                alpha=decision.alpha,
                gained=target.gained,
                lost=target.lost,
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

    def _target(self, desk: Desk, state: State) -> Paired:
        """Compare on the select items of every target skill that is not abandoned.

        Whether a skill is abandoned was decided on probes alone, so leaving it out does not look at the exam.
        """
        abandoned = {h.skill for h in histories(desk.ledger, desk.scenario.targets) if h.abandoned}
        items = desk.items("select")
        before, after = _exam(desk, "select", state["student"]), _exam(desk, "select", state["candidate"])
        skills = [skill for skill in desk.scenario.targets if skill not in abandoned]
        return pair(
            [mark for skill in skills for mark in pick(before, items, skill)],
            [mark for skill in skills for mark in pick(after, items, skill)],
        )


def _exam(desk: Desk, split: str, student: str) -> Exam:
    return next(e for e in desk.ledger.read(Exam, subject=split) if e.student == student)


def _guards(desk: Desk, state: State) -> dict[str, Paired]:
    """Compare every guard with the incumbent, and with the first student: small losses must not add up."""
    items, candidate = desk.items("guard"), _exam(desk, "guard", state["candidate"])
    incumbent, first = _exam(desk, "guard", state["student"]), desk.ledger.read(Exam, round=0, subject="guard")[0]
    compared = {
        skill: pair(pick(incumbent, items, skill), pick(candidate, items, skill)) for skill in desk.scenario.guards
    }
    if first.student != incumbent.student:
        for skill in desk.scenario.guards:
            compared[skill + SINCE_START] = pair(pick(first, items, skill), pick(candidate, items, skill))
    return compared
