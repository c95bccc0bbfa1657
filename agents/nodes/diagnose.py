"""Say what the failures share, put every guess to the test, and follow the weaknesses already known.

Before a new weakness is written down, the vector memory is asked what similar failures there were and what came of
them: one that was abandoned is not taught again under a new name, one that was fixed comes back as regressed.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...memory.effects import Outcome
from ...memory.inference import Engine
from ...memory.recall import Remembered
from ...memory.records import Attempt, Observation, Prediction, Record, Weakness
from ...memory.trace import span, spent
from ..desk import Desk
from ..lives import Life, histories, hopeless, judge, lives
from ..node import Node, State, Update
from ..probing import aimed_tasks, ask, passes
from ..remembering import describe
from ..teacher import Hypothesis

ALIKE = 0.8
"""Cosine from which a remembered weakness of the same skill counts as the same thing."""
ASKED = 8
"""Memories looked at per hypothesis; the same weakness may come up once per round."""


class Memory(NamedTuple):
    """A similar weakness of the past, and how it stands."""

    weakness: str
    text: str
    state: str


class Diagnosis(Node):
    """Turn failing attempts into tested hypotheses."""

    async def run(self, state: State, desk: Desk) -> Update:
        """Record weaknesses, predictions and observations; say whether anything is left to teach."""
        round = state["round"]

        async def work() -> Outcome:
            attempts = [a for a in desk.ledger.read(Attempt, round=round) if a.purpose == "probe"]
            guesses = await self._guess(attempts, desk)
            known = lives(desk.ledger)
            beyond = {h.skill for h in histories(desk.ledger, desk.scenario.targets) if hopeless(h)}
            found, rows = await self._test(guesses, known, round, state, desk)
            states = {life.weakness.id: life.state for life in known}
            for life in [*known, *(Life(w, ()) for w in found)]:
                memories = _latest(found.get(life.weakness, []), states)
                rows.append(self._observe(life, attempts, beyond, round, memories, desk))
            return self._outcome(rows, desk)

        seen = await desk.effects.once("diagnose", round, work, inputs={"student": state["student"]})
        finished = not seen["teachable"] or round > desk.scenario.rounds.most
        desk.say("diagnose", round=round, weaknesses=seen["weaknesses"])
        return {"finished": finished}

    async def _guess(self, attempts: Sequence[Attempt], desk: Desk) -> list[Hypothesis]:
        right = [a for a in attempts if a.verdict.passed]
        guesses: list[Hypothesis] = []
        for skill in desk.scenario.targets:
            own = [a for a in attempts if a.task.skill == skill]
            elsewhere = [a for a in right if a.task.skill != skill]
            with span("diagnose skill", skill=skill), spent("curation"):
                guesses += await desk.parts.teacher.diagnose(skill, own, elsewhere, desk.splits)
        return guesses

    async def _test(
        self, guesses: Sequence[Hypothesis], known: Sequence[Life], round: int, state: State, desk: Desk
    ) -> tuple[dict[Weakness, list[Remembered]], list[Record]]:
        """Keep guesses that are new and whose fresh probes fail as foreseen."""
        rules = {(life.weakness.skill, life.weakness.rule) for life in known}
        whole = {life.weakness.skill for life in known if not life.weakness.rule and life.state in ("open", "taught")}
        fresh = [g for g in guesses if (g.skill, g.rule) not in rules and g.skill not in whole]
        memories = (
            desk.recall.recall([describe(g.skill, g.words, g.rule) for g in fresh], ASKED, kind="weakness")
            if fresh
            else []
        )
        engine = desk.parts.engine.open(desk.path(state["path"])) if fresh else None
        found: dict[Weakness, list[Remembered]] = {}
        rows: list[Record] = []
        for guess, remembered in zip(fresh, memories, strict=True):
            assert engine is not None
            weakness = Weakness(
                skill=guess.skill,
                hypothesis=guess.words,
                rule=guess.rule,
                round=round,
                failures=guess.failures,
                p_value=guess.p_value,
            )
            tested = await self._predict(weakness, guess.foreseen, engine, round, desk)
            rows += tested
            if isinstance(tested[0], Prediction) and tested[0].passed <= tested[0].tried * desk.scenario.probe.failing:
                found[weakness] = [m for m in remembered if m.similarity >= ALIKE and m.label["skill"] == guess.skill]
                rows.append(weakness)
        if engine is not None:
            engine.close()
        return found, rows

    async def _predict(
        self, weakness: Weakness, foreseen: float, engine: Engine, round: int, desk: Desk
    ) -> list[Record]:
        """Foresee the pass rate on fresh probes, then look."""
        tasks = aimed_tasks(weakness, round, desk)
        tries = await ask(engine, tasks, round, desk, predicting=True) if tasks else []
        shown = Prediction(weakness=weakness.id, round=round, foreseen=foreseen, passed=passes(tries), tried=len(tries))
        return [shown, *tries]

    def _observe(
        self,
        life: Life,
        attempts: Sequence[Attempt],
        beyond: set[str],
        round: int,
        memories: Sequence[Memory],
        desk: Desk,
    ) -> Observation:
        weakness = life.weakness
        own = [a for a in attempts if a.task.skill == weakness.skill and set(weakness.rule) <= set(a.task.features)]
        state, reason = judge(life, own, skill_hopeless=weakness.skill in beyond, settings=desk.scenario.probe)
        if memories and memories[0].state in ("abandoned", "fixed"):
            state = "abandoned" if memories[0].state == "abandoned" else "regressed"
            reason = f"memory: {memories[0].text!r} was {memories[0].state} before"
        return Observation(
            weakness=weakness.id,
            round=round,
            state=state,
            passed=passes(own),
            tried=len(own),
            reason=reason,
            recalled=tuple(m.weakness for m in memories),
        )

    def _outcome(self, rows: Sequence[Record], desk: Desk) -> Outcome:
        now = {o.weakness: o for o in rows if isinstance(o, Observation)}
        words = {
            w.id: w.hypothesis for w in [*desk.ledger.read(Weakness), *(r for r in rows if isinstance(r, Weakness))]
        }
        teachable = sum(o.state in ("open", "taught", "regressed") for o in now.values())
        listed = [[words[o.weakness], o.state, o.passed, o.tried] for o in now.values()]
        return Outcome({"teachable": teachable, "weaknesses": listed}, rows)


def _latest(remembered: Sequence[Remembered], states: Mapping[str, str]) -> list[Memory]:
    """One memory per weakness, likest first; this run's ledger knows better than an older note."""
    newest: dict[str, Remembered] = {}
    for memory in sorted(remembered, key=lambda m: int(m.label["round"])):
        newest[str(memory.label["weakness"])] = memory
    ordered = sorted(newest.items(), key=lambda item: (-item[1].similarity, item[0]))
    return [Memory(w, m.text, states.get(w, str(m.label["state"]))) for w, m in ordered]
