"""Train the control twin, open the sealed report once, and end the session."""

from ...memory.effects import Outcome
from ...memory.records import Round, Sample, Task
from ...memory.trace import spent
from ...training.exam import examine
from ..desk import BASE, Desk, rates
from ..node import Node, State, Update
from ..rounds import train_round


class Ending(Node):
    """The control arm and the sealed exam."""

    async def run(self, state: State, desk: Desk) -> Update:
        """Record the control round and the opening of the report split."""
        students = {"base": BASE, "final": state["path"]}
        trained = [r for r in desk.ledger.read(Round) if r.arm == "targeted"]
        if desk.scenario.control and trained:
            model = next((r for r in trained if r.checkpoint == state["student"]), trained[-1])
            students["control"] = await self._control(model, trained, desk)

        async def opening() -> Outcome:
            exams = {}
            for name, path in students.items():
                engine = desk.parts.engine.open(desk.path(path))
                exams[name] = await examine(
                    engine,
                    desk.items("report"),
                    desk.parts.verifier,
                    split="report",
                    round=0 if name == "base" else state["round"],
                    arm="control" if name == "control" else "targeted",
                    longest=desk.longest,
                )
                engine.close()
            result = {name: {"exam": e.id, "rates": rates(e.scores)} for name, e in exams.items()}
            return Outcome(result, list(exams.values()))

        # keyed by round 0: there is one opening per session, whatever round it ends in
        seen = await desk.effects.once("report opening", 0, opening, inputs=students)
        desk.say("report", rates={name: e["rates"] for name, e in seen.items()})
        return {}

    async def _control(self, model: Round, trained: list[Round], desk: Desk) -> str:
        """Train the twin: as many samples and steps as the student had, drawn evenly over all skills."""
        with spent("curation"):
            samples = _even_samples(model.samples, desk)
        steps = (
            model.steps
            if desk.parts.trainer.start == "base"
            else sum(r.steps for r in trained if r.number <= model.number)
        )
        made = await train_round(desk, model.number, samples, arm="control", start=BASE, steps=steps)
        desk.say("control", **{k: made[k] for k in ("samples", "steps", "loss", "seconds")})
        return made["path"]


def _even_samples(count: int, desk: Desk) -> list[Sample]:
    skills = sorted(desk.scenario.skills)
    each, extra = divmod(count, len(skills))
    return [
        Sample(task=task, arm="control", round=0, weakness=None, teacher="control", recipe="drawn evenly over skills")
        for i, skill in enumerate(skills)
        for task in _clean(skill, each + (i < extra), desk)
    ]


def _clean(skill: str, count: int, desk: Desk) -> list[Task]:
    """Tasks of a skill that give no exam away; some spare ones are drawn for those that do."""
    drawn = desk.splits.draw(skill, "train", count + count // 4, stream="control")
    return [task for task in drawn if desk.contamination.leak(task) is None][:count]
