"""Train the control twin, open the sealed report once, and end the session."""

from ...memory.effects import Outcome
from ...memory.records import Round
from ...memory.retraction import current
from ...training.exam import Sat, examine
from ..control import train_twin
from ..desk import BASE, Desk, rates
from ..node import Node, State, Update
from ..retraining import retrain


class Ending(Node):
    """The control arm and the sealed exam."""

    async def run(self, state: State, desk: Desk) -> Update:
        """Record the control round and the opening of the report split.

        The twin is compared with the round it is a twin of: the promoted one, or where nothing was promoted the last
        candidate, which is then examined beside the student that stayed.
        """
        if desk.ledger.result("report opening", 0) is not None:
            # one opening per session, whatever was withdrawn since
            return {}
        await retrain(desk)
        now = current(desk.ledger)
        students = {"base": BASE, "final": now.path if now else state["path"]}
        trained = desk.ledger.read(Round, subject="targeted")
        if desk.scenario.control and trained:
            model = next((r for r in trained if r.checkpoint == state["student"]), trained[-1])
            if now is None:
                students["candidate"] = model.path
            students["control"] = await train_twin(desk, model, trained)

        async def opening() -> Outcome:
            by_path: dict[str, Sat] = {}
            for name, path in students.items():
                if path not in by_path:
                    by_path[path] = await self._examine(name, path, state["round"], desk)
            exams = {name: by_path[path].exam for name, path in students.items()}
            result = {name: {"exam": e.id, "rates": rates(e.scores)} for name, e in exams.items()}
            return Outcome(result, [record for sat in by_path.values() for record in sat.records])

        # keyed by round 0: there is one opening per session, whatever round it ends in
        seen = await desk.effects.once("report opening", 0, opening, inputs=students)
        desk.say("report", rates={name: e["rates"] for name, e in seen.items()})
        return {}

    async def _examine(self, name: str, path: str, round: int, desk: Desk) -> Sat:
        engine = desk.parts.engine.open(desk.path(path))
        sat = await examine(
            engine,
            desk.items("report"),
            desk.parts.verifier,
            split="report",
            round=0 if name == "base" else round,
            arm="control" if name == "control" else "targeted",
            longest=desk.longest,
            models=desk.models,
        )
        engine.close()
        return sat
