"""Make or take the student the session starts from, and examine it."""

from pathlib import Path

from ...memory.effects import Outcome
from ...memory.trace import spent
from ...training import checkpoint, origin, student
from ...training.exam import examine
from ..curating import trainable
from ..desk import BASE, Desk, rates
from ..node import Node, State, Update


class Baseline(Node):
    """First training of the student (or its cached result, or a model that somebody brings), then its first exam."""

    async def run(self, state: State, desk: Desk) -> Update:
        """Prepare and examine the student."""
        scenario, seed = desk.scenario, desk.session.seed
        first = desk.parts.first_trainer(scenario)

        async def prepare(folder: Path) -> None:
            if scenario.student.model:
                origin.place(scenario.student, folder)
                desk.say("student", model=scenario.student.model)
                return
            with spent("curation"):
                tasks = trainable(student.first_tasks(scenario, desk.splits), desk)
            cached = student.prepare(scenario, first, tasks, folder, seed=seed)
            desk.say("student", tasks=len(tasks), cached=cached)

        def read(folder: Path) -> Outcome:
            return Outcome({"student": checkpoint.identify(folder)})

        inputs = {"student": scenario.student.model_dump(mode="json"), "trainer": first.describe(), "seed": seed}
        made = await desk.effects.folder("student", 0, prepare, read, target=desk.path(BASE), inputs=inputs)

        async def exam() -> Outcome:
            engine = desk.parts.engine.open(desk.path(BASE))
            exams = [
                await examine(
                    engine, desk.items(s), desk.parts.verifier, split=s, round=0, arm="targeted", longest=desk.longest
                )
                for s in ("select", "guard")
            ]
            engine.close()
            return Outcome(
                {"exams": [e.id for e in exams], "rates": rates({**exams[0].scores, **exams[1].scores})}, exams
            )

        seen = await desk.effects.once("baseline", 0, exam, inputs={"student": made["student"]})
        desk.say("baseline", rates=seen["rates"])
        return {"round": 1, "student": made["student"], "path": BASE, "attempt": 0, "missing": 0, "finished": False}
