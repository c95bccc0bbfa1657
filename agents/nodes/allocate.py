"""Split the round's budget: over skills by the allocator, within a skill over its weaknesses by their failures."""

from collections.abc import Sequence

from ...memory.effects import Outcome
from ...memory.errors import UsageError
from ...memory.records import Share
from ..desk import Desk
from ..lives import Life, histories, lives
from ..node import Node, State, Update

GENERAL = 0.25
"""Share of a skill's samples that is drawn from all of it, so that teaching a structure does not unteach the rest."""


class Allocation(Node):
    """Decide how many samples each skill and weakness gets."""

    async def run(self, state: State, desk: Desk) -> Update:
        """Record the shares of the round.

        Raises:
            UsageError: something is to be taught and the student's engine cannot serve what is trained.
        """
        round = state["round"]
        if not desk.parts.engine.serves:
            raise UsageError(
                f"{desk.run}: student.engine {desk.parts.engine.name!r} does not serve the weights a round trains; "
                "what was found is kept here; to teach it name one that does in a new run, such as 'transformers'"
            )

        async def work() -> Outcome:
            # a source draws every task of a skill alike, so that a skill's tasks are its share of what people have
            sizes = {s: float(desk.splits.source.size(s, desk.scenario.skills[s].task)) for s in desk.scenario.targets}
            past = histories(desk.ledger, desk.scenario.targets, shares=sizes)
            known = {h.skill for h in past if h.mastered}
            replay = _even(int(desk.scenario.curation.replay * desk.budget), [*desk.scenario.guards, *sorted(known)])
            repeated, skills = sum(replay.values()), len(desk.scenario.skills)
            portions = desk.parts.allocator.split(past, desk.budget - repeated, replay=repeated, skills=skills)
            active = [life for life in lives(desk.ledger) if life.state in ("open", "taught", "regressed")]
            shares = [
                share
                for skill, portion in sorted(portions.items())
                for share in _within(skill, portion.samples, portion.reason, active, round)
            ]
            shares += [_share(round, skill, None, count, "replay") for skill, count in replay.items()]
            given = {s: sum(x.samples for x in shares if x.skill == s) for s in desk.scenario.skills}
            return Outcome({"given": given}, [s for s in shares if s.samples])

        seen = await desk.effects.once("allocate", round, work, inputs={"allocator": desk.parts.allocator.describe()})
        desk.say("allocate", round=round, given=seen["given"])
        return {"attempt": 0, "missing": 0}


def _within(skill: str, samples: int, reason: str, active: Sequence[Life], round: int) -> list[Share]:
    """Split a skill's samples over its active weaknesses, in proportion to the failures seen under their rules."""
    own = [life for life in active if life.weakness.skill == skill]
    finer = [life for life in own if life.weakness.rule]
    if not finer:
        whole = own[0].weakness.id if own else None
        return [_share(round, skill, whole, samples, reason)]
    mass = {life.weakness.id: 1 + life.observations[-1].tried - life.observations[-1].passed for life in finer}
    aimed = samples - int(GENERAL * samples)
    shares = [_share(round, skill, w, aimed * m // sum(mass.values()), reason) for w, m in mass.items()]
    general = samples - sum(s.samples for s in shares)
    return [*shares, _share(round, skill, None, general, f"{reason}; the rest of the skill")]


def _share(round: int, skill: str, weakness: str | None, samples: int, reason: str) -> Share:
    return Share(round=round, skill=skill, weakness=weakness, samples=samples, reason=reason)


def _even(total: int, skills: Sequence[str]) -> dict[str, int]:
    return {skill: total // len(skills) for skill in skills} if skills else {}
