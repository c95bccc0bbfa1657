"""Examine the candidate on the items that promotion is decided on."""

from ...memory.effects import Outcome
from ...memory.errors import EvolventError
from ...training.exam import canary, examine
from ..desk import Desk, rates
from ..evaluating import evaluate
from ..node import Node, State, Update

CANARIES = 8
"""Probe tasks on which free and forced answers of the candidate are compared."""


class Examination(Node):
    """Sit the select and guard exams, and the user's own evaluations."""

    async def run(self, state: State, desk: Desk) -> Update:
        """Record the exams of the candidate."""
        round = state["round"]

        async def work() -> Outcome:
            engine = desk.parts.engine.open(desk.path(state["candidate_path"]))
            if engine.student != state["candidate"]:
                raise EvolventError(
                    f"{state['candidate_path']}: serves weights {engine.student}, trained were {state['candidate']}; "
                    "the checkpoint changed on disk, restore it from a copy or start a new run"
                )
            watched = desk.splits.draw(desk.scenario.targets[0], "probe", CANARIES, stream="canary")
            await canary(engine, [task.question for task in watched], longest=desk.longest)
            verifier = desk.parts.verifier
            sat = [
                await examine(
                    engine,
                    desk.items(s),
                    verifier,
                    split=s,
                    round=round,
                    arm="targeted",
                    longest=desk.longest,
                    models=desk.models,
                )
                for s in ("select", "guard")
            ]
            engine.close()
            shown = rates({skill: score for each in sat for skill, score in each.exam.scores.items()})
            return Outcome({"rates": shown}, [record for each in sat for record in each.records])

        seen = await desk.effects.once("examine", round, work, inputs={"student": state["candidate"]})
        desk.say("examine", round=round, rates=seen["rates"])
        await evaluate(desk, state["candidate_path"], round=round, student=state["candidate"])
        return {}
