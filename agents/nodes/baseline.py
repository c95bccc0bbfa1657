"""Make or take the student the session starts from, and examine it.

Where an endpoint answers there is nothing to make: no checkpoint of ours would be asked.
"""

from pathlib import Path

from ...memory.effects import Outcome
from ...memory.trace import spent
from ...training import checkpoint, origin
from ...training import student as embedded
from ...training.exam import examine
from ..curating import trainable
from ..desk import BASE, Desk, rates
from ..discovering import discover
from ..evaluating import begin
from ..folder import before
from ..inheriting import inherit, inherit_student
from ..judging.vouching import vouch
from ..node import Node, State, Update


class Baseline(Node):
    """First training of the student (or its cached result, or a model that somebody brings), then its first exam.

    What keeps a verifier from judging is found out before anything is trained.
    """

    async def run(self, state: State, desk: Desk) -> Update:
        """Find skills where none is named; try the verifier's judges; prepare and examine the student."""
        await discover(desk)
        await vouch(desk)
        student = await self._student(desk)
        if desk.parts.engine.serves:
            desk.parts.trainer.require(desk.path(BASE))

        async def exam() -> Outcome:
            engine = desk.parts.engine.open(desk.path(BASE))
            sat = [
                await examine(
                    engine,
                    desk.items(s),
                    desk.parts.verifier,
                    split=s,
                    round=0,
                    arm="targeted",
                    longest=desk.longest,
                    models=desk.models,
                )
                for s in ("select", "guard")
            ]
            engine.close()
            shown = rates({skill: score for each in sat for skill, score in each.exam.scores.items()})
            result = {"exams": [each.exam.id for each in sat], "rates": shown}
            return Outcome(result, [record for each in sat for record in each.records])

        seen = await desk.effects.once("baseline", 0, exam, inputs={"student": student})
        desk.say("baseline", rates=seen["rates"])
        await begin(desk, BASE, student=student)
        if before(desk.session):
            await inherit(desk)
        return {"round": 1, "student": student, "path": BASE, "attempt": 0, "missing": 0, "finished": False}

    async def _student(self, desk: Desk) -> str:
        """Digest of the student, which is in its folder now."""
        if before(desk.session):
            return await inherit_student(desk)
        if not desk.parts.engine.serves:
            engine = desk.parts.engine.open(desk.path(BASE))
            engine.close()
            return engine.student
        scenario, seed = desk.scenario, desk.session.seed
        first = desk.parts.first_trainer(scenario)

        async def prepare(folder: Path) -> None:
            if scenario.student.model:
                origin.place(scenario.student, folder)
                desk.say("student", model=scenario.student.model)
                return
            with spent("curation"):
                tasks = trainable(embedded.first_tasks(scenario, desk.splits), desk)
            cached = embedded.prepare(scenario, first, tasks, folder, seed=seed)
            desk.say("student", tasks=len(tasks), cached=cached)

        def read(folder: Path) -> Outcome:
            return Outcome({"student": checkpoint.identify(folder)})

        inputs = {"student": scenario.student.model_dump(mode="json"), "trainer": first.describe(), "seed": seed}
        made = await desk.effects.folder("student", 0, prepare, read, target=desk.path(BASE), inputs=inputs)
        return str(made["student"])
