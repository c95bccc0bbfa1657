"""The life of weaknesses and skills, read from the ledger: what a round's observations mean."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from ..memory.ledger import Ledger
from ..memory.records import Attempt, Observation, Probe, Promotion, Share, State, Weakness
from ..memory.statistics import chance_corrected, wilson
from ..scenarios.schema import Probing
from .allocator import History
from .probing import conclude

EVEN: Mapping[str, float] = MappingProxyType({})
"""Every skill has the same share."""
PATIENCE = 2
"""Rounds a weakness is taught before it may be abandoned."""
HOPELESS = 0.35
"""Chance-corrected pass rate that even the upper end of the interval must stay below."""


@dataclass(frozen=True, slots=True)
class Life:
    """A weakness and everything seen of it."""

    weakness: Weakness
    observations: tuple[Observation, ...]

    @property
    def state(self) -> State:
        """Latest state."""
        return self.observations[-1].state if self.observations else "open"


def lives(ledger: Ledger) -> list[Life]:
    """All weaknesses in the order they were found."""
    seen: dict[str, list[Observation]] = {}
    for observation in ledger.read(Observation):
        seen.setdefault(observation.weakness, []).append(observation)
    return [Life(w, tuple(seen.get(w.id, ()))) for w in ledger.read(Weakness)]


def histories(ledger: Ledger, skills: Sequence[str], *, shares: Mapping[str, float] = EVEN) -> list[History]:
    """What every target skill showed in the rounds so far.

    Args:
        ledger: of the run.
        skills: the target skills.
        shares: how much of the scenario's own distribution each is; those that are not named count alike.
    """
    probes: dict[str, list[Probe]] = {skill: [] for skill in skills}
    for probe in ledger.read(Probe):
        if probe.skill in probes:
            probes[probe.skill].append(probe)
    given: Counter[tuple[str, int]] = Counter()
    for share in ledger.read(Share):
        given[share.skill, share.round] += share.samples
    promoted = tuple(p.round for p in ledger.read(Promotion) if p.promoted)
    by_skill: dict[str, list[Life]] = {}
    for life in lives(ledger):
        by_skill.setdefault(life.weakness.skill, []).append(life)
    return [
        replace(_history(skill, rows, given, promoted, by_skill.get(skill, [])), share=shares.get(skill, 1.0))
        for skill, rows in probes.items()
    ]


def _history(
    skill: str,
    probes: Sequence[Probe],
    given: Mapping[tuple[str, int], int],
    promoted: tuple[int, ...],
    own: Sequence[Life],
) -> History:
    states = {life.state for life in own}
    return History(
        skill=skill,
        passed=tuple(p.passed for p in probes),
        tried=tuple(p.tried for p in probes),
        chance=tuple(p.chance for p in probes),
        taught=tuple(given.get((skill, p.round), 0) for p in probes[:-1]),
        promoted=promoted,
        mastered=probes[-1].verdict == "mastered" and not states & {"open", "taught", "regressed"},
        abandoned="abandoned" in states and not states & {"open", "taught", "regressed"},
    )


def hopeless(history: History) -> bool:
    """Whether a skill was taught long enough and the student still answers no better than luck.

    Pools the probes since the first promoted student that was trained on the skill; teaching that came after counts as
    taught even when its candidate was turned down. Chance-corrected, so a coin called right half the time is hopeless.
    """
    taught = [round for round, samples in enumerate(history.taught, start=1) if samples]
    knows = [round for round in history.promoted if taught and round >= taught[0]]
    if len(taught) < PATIENCE or not knows or history.answers:
        return False
    after = range(knows[0], len(history.tried))
    passed, tried = sum(history.passed[i] for i in after), sum(history.tried[i] for i in after)
    chance = sum(history.chance[i] * history.tried[i] for i in after) / max(1, tried)
    return chance_corrected(wilson(passed, tried).high, chance) < HOPELESS


def judge(life: Life, attempts: Sequence[Attempt], *, skill_hopeless: bool, settings: Probing) -> tuple[State, str]:
    """Give the next state of a weakness and the reason, from this round's attempts under its rule."""
    passed, tried = sum(a.verdict.passed for a in attempts), len(attempts)
    low, high = wilson(passed, tried)
    figures = f"{passed} of {tried} fresh probes right ({low:.0%} to {high:.0%})"
    if not life.observations:
        return "open", f"found now: {figures}"
    if not tried and not skill_hopeless:
        return ("taught" if life.state == "open" else life.state), "no task under it is left that was not asked before"
    verdict = conclude(passed, tried, settings)
    if verdict != "mastered" and (skill_hopeless or life.state == "abandoned"):
        return "abandoned", f"no better than luck after {PATIENCE} rounds of teaching: {figures}"
    if verdict == "mastered" or (verdict == "undecided" and life.state == "fixed"):
        return "fixed", figures
    if life.state in ("fixed", "regressed"):
        return "regressed", f"was fixed: {figures}"
    return "taught", figures
