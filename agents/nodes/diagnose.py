"""Say what the failures share, put every guess to the test, and follow the weaknesses already known.

Before a new weakness is written down, the vector memory is asked what similar failures there were and what came of
them: one that was abandoned is not taught again under a new name, one that was fixed comes back as regressed.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...memory import records
from ...memory.effects import Outcome
from ...memory.recall import Remembered
from ...memory.records import Attempt, Observation, Prediction, Record, Weakness
from ...memory.trace import span, spent
from ..desk import Desk
from ..exploring import explore
from ..lives import Life, histories, hopeless, judge, lives
from ..node import Node, State, Update
from ..probing import GUESSES, aimed_tasks, ask, passes
from ..remembering import describe, failure_entries
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


class Found(NamedTuple):
    """A hypothesis that fresh probes bore out."""

    weakness: Weakness
    tries: Sequence[Attempt]
    memories: Sequence[Remembered]
    seen_before: bool
    """Whether failures of earlier rounds are like those it explains; how many an index finds may vary."""


class Diagnosis(Node):
    """Turn failing attempts into tested hypotheses."""

    async def run(self, state: State, desk: Desk) -> Update:
        """Record weaknesses, predictions and observations; say whether anything is left to teach."""
        round = state["round"]

        async def work() -> Outcome:
            attempts = desk.ledger.read(Attempt, round=round)
            probes = [a for a in attempts if a.purpose == "probe"]
            known = lives(desk.ledger)
            fresh = _unknown(await self._guess(probes, desk), known)
            explored = await explore(probes, round, state["path"], desk)
            fresh += _unguessed(_unknown(explored.guesses, known), fresh)
            found, rows = await self._test(fresh, [*attempts, *explored.attempts], round, state, desk)
            rows += explored.attempts
            beyond = {h.skill for h in histories(desk.ledger, desk.scenario.targets) if hopeless(h)}
            rows += [self._follow(life, attempts, beyond, round, desk) for life in known]
            states = {life.weakness.id: life.state for life in known}
            rows += [self._begin(one, _latest(one.memories, states), round, desk) for one in found]
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
                teacher = desk.parts.teacher
                made = await teacher.diagnose(skill, own, elsewhere, desk.splits, models=desk.models)
                guesses += made[:GUESSES]
        return guesses

    async def _test(
        self, guesses: Sequence[Hypothesis], attempts: Sequence[Attempt], round: int, state: State, desk: Desk
    ) -> tuple[list[Found], list[Record]]:
        """Foresee every guess's pass rate on probes not asked yet, and keep those that fail there too."""
        if not guesses:
            return [], []
        memories = desk.recall.recall([describe(g.skill, g.words, g.rule) for g in guesses], ASKED, kind="weakness")
        by_id = {a.id: a for a in attempts}
        examples = failure_entries([by_id[guess.failures[0]] for guess in guesses])
        failures = desk.recall.recall([example.text for example in examples], ASKED, kind="failure")
        engine = desk.parts.engine.open(desk.path(state["path"]))
        asked = {a.task.key for a in attempts}
        found: list[Found] = []
        rows: list[Record] = []
        for guess, remembered, failed in zip(guesses, memories, failures, strict=True):
            weakness = _weakness(guess, round)
            tasks = aimed_tasks(weakness, round, desk, asked=asked)
            asked |= {task.key for task in tasks}
            tries = await ask(engine, tasks, round, desk, purpose="prediction") if tasks else []
            passed, tried = passes(tries), len(tries)
            rows += [Prediction(weakness=weakness.id, round=round, foreseen=guess.foreseen, passed=passed, tried=tried)]
            rows += tries
            if tried and passed <= tried * desk.scenario.probe.failing:
                found.append(Found(weakness, tries, _alike(remembered, guess), bool(_alike(failed, guess))))
                rows.append(weakness)
        engine.close()
        return found, rows

    def _begin(self, one: Found, memories: Sequence[Memory], round: int, desk: Desk) -> Observation:
        """First look at a new weakness, on the probes that tested it; memory may know better than to open it."""
        settings = desk.scenario.probe
        state, reason = judge(Life(one.weakness, ()), one.tries, skill_hopeless=False, settings=settings)
        if memories and memories[0].state in ("abandoned", "fixed"):
            state = "abandoned" if memories[0].state == "abandoned" else "regressed"
            reason = f"memory: {memories[0].text!r} was {memories[0].state} before"
        if one.seen_before:
            reason += "; similar failures remembered"
        return _observation(one.weakness, one.tries, round, state, reason, recalled=[m.weakness for m in memories])

    def _follow(self, life: Life, attempts: Sequence[Attempt], beyond: set[str], round: int, desk: Desk) -> Observation:
        """Look at a known weakness again.

        A whole skill is judged by the probes drawn from all of it alone; a rule by tasks never asked before, for it was
        read off the failures of earlier ones.
        """
        weakness = life.weakness
        own = [a for a in attempts if a.task.skill == weakness.skill]
        if weakness.rule:
            before = desk.asked(before=round)
            own = [a for a in own if set(weakness.rule) <= set(a.task.features) and a.task.key not in before]
        else:
            own = [a for a in own if a.purpose == "probe"]
        state, reason = judge(life, own, skill_hopeless=weakness.skill in beyond, settings=desk.scenario.probe)
        return _observation(weakness, own, round, state, reason)

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


def _alike(remembered: Sequence[Remembered], guess: Hypothesis) -> list[Remembered]:
    return [m for m in remembered if m.similarity >= ALIKE and m.label["skill"] == guess.skill]


def _unknown(guesses: Sequence[Hypothesis], known: Sequence[Life]) -> list[Hypothesis]:
    """Guesses that no known weakness covers already."""
    rules = {(life.weakness.skill, life.weakness.rule) for life in known}
    whole = {life.weakness.skill for life in known if not life.weakness.rule and life.state in ("open", "taught")}
    return [g for g in guesses if (g.skill, g.rule) not in rules and g.skill not in whole]


def _unguessed(found: Sequence[Hypothesis], guesses: Sequence[Hypothesis]) -> list[Hypothesis]:
    """What was found by other means than the guesses were, and is none of them."""
    rules = {(guess.skill, guess.rule) for guess in guesses}
    return [one for one in found if (one.skill, one.rule) not in rules]


def _weakness(guess: Hypothesis, round: int) -> Weakness:
    return Weakness(
        skill=guess.skill,
        hypothesis=guess.words,
        rule=guess.rule,
        round=round,
        failures=guess.failures,
        p_value=guess.p_value,
    )


def _observation(
    weakness: Weakness,
    tries: Sequence[Attempt],
    round: int,
    state: records.State,
    reason: str,
    *,
    recalled: Sequence[str] = (),
) -> Observation:
    return Observation(
        weakness=weakness.id,
        round=round,
        state=state,
        passed=passes(tries),
        tried=len(tries),
        reason=reason,
        recalled=tuple(recalled),
    )
