"""Ask the student, skill by skill, until it is clear what it can do.

Guards are asked once a round: what the student solves there is what failures elsewhere are told apart from. All
undecided skills are answered in one batch; a sequential test (Wald 1945) stops each as early as its errors allow.
Every known weakness gets fresh tasks under its own rule, so that its life can be followed.
"""

from itertools import pairwise

from ...memory.effects import Outcome
from ...memory.inference import Engine
from ...memory.records import Attempt, Probe, Task, Weakness
from ...memory.trace import spent
from ...scenarios import schema
from ..desk import Desk
from ..node import Node, State, Update
from ..probing import aimed_tasks, ask, by_luck, conclude, passes


class Probing(Node):
    """Probe every skill and every known weakness."""

    async def run(self, state: State, desk: Desk) -> Update:
        """Record attempts, and what each skill showed."""
        round = state["round"]

        async def work() -> Outcome:
            engine = desk.parts.engine.open(desk.path(state["path"]))
            attempts = await self._skills(engine, round, desk)
            probes = [self._summary(skill, round, tries, desk) for skill, tries in attempts.items()]
            asked = {a.task.key for tries in attempts.values() for a in tries}
            aimed = await self._weaknesses(engine, round, asked, desk)
            engine.close()
            answered = [*(a for tries in attempts.values() for a in tries), *aimed]
            shown = {p.skill: [p.passed, p.tried, p.verdict] for p in probes}
            return Outcome({"asked": len(answered), "shown": shown}, [*probes, *answered])

        seen = await desk.effects.once("probe", round, work, inputs={"student": state["student"]})
        desk.say("probe", round=round, shown=seen["shown"], asked=seen["asked"])
        return {}

    async def _skills(self, engine: Engine, round: int, desk: Desk) -> dict[str, list[Attempt]]:
        settings = desk.scenario.probe
        most = min(settings.most, desk.session.limit or settings.most)
        with spent("curation"):
            tasks = {s: desk.splits.draw(s, "probe", most, stream=f"probe-{round}") for s in desk.scenario.skills}
        attempts: dict[str, list[Attempt]] = {skill: [] for skill in tasks}
        looks = [0, *range(min(settings.least, most), most, settings.batch), most]
        for start, stop in pairwise(looks):
            batch = [
                task
                for skill, tries in attempts.items()
                if start == 0 or (skill in desk.scenario.targets and not _enough(tries, settings))
                for task in tasks[skill][start:stop]
            ]
            for attempt in await ask(engine, batch, round, desk) if batch else []:
                attempts[attempt.task.skill].append(attempt)
        return attempts

    async def _weaknesses(self, engine: Engine, round: int, asked: set[str], desk: Desk) -> list[Attempt]:
        known = [w for w in desk.ledger.read(Weakness) if w.rule and w.round < round]
        tasks: dict[str, Task] = {}
        with spent("curation"):
            for weakness in known:
                tasks |= {t.key: t for t in aimed_tasks(weakness, round, desk, asked=asked | tasks.keys())}
        return await ask(engine, list(tasks.values()), round, desk, purpose="aimed") if tasks else []

    def _summary(self, skill: str, round: int, attempts: list[Attempt], desk: Desk) -> Probe:
        passed, tried = passes(attempts), len(attempts)
        verdict = conclude(passed, tried, desk.scenario.probe)
        return Probe(skill=skill, round=round, passed=passed, tried=tried, chance=by_luck(attempts), verdict=verdict)


def _enough(attempts: list[Attempt], settings: schema.Probing) -> bool:
    """Whether the test has decided, and a skill that fails has shown enough failures to be diagnosed."""
    passed, tried = passes(attempts), len(attempts)
    verdict = conclude(passed, tried, settings)
    return verdict == "mastered" or (verdict == "failing" and tried - passed >= settings.failures)
