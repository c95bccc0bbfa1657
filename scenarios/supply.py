"""How many distinct tasks every skill has for every end, and how many a session needs.

Counts come from the source's own size and the shares of the splits; small skills are drawn for real, since a hash
divides them unevenly.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from .schema import Scenario
from .splits import Part, Splits

HELD: tuple[Part, ...] = ("probe", "exam", "report")
"""Splits that must be filled."""
SCARCE = 0.1
"""Share of the training tasks a round may ask for below which a skill cannot be taught."""
SIGMAS = 3.0
"""Standard deviations that a split may fall short of its share: one in 700 does."""


@dataclass(frozen=True, slots=True)
class Supply:
    """Distinct tasks of one skill: there are, and needed."""

    skill: str
    guard: bool
    tasks: int
    held: Mapping[Part, int]
    """By split, as many as are there at least."""
    needed: Mapping[Part, int]
    shares: Mapping[Part, float]
    """Of the tasks, by split."""

    @property
    def short(self) -> list[Part]:
        """Splits that cannot be filled."""
        return [part for part, held in self.held.items() if held < self.least(part)]

    @property
    def enough(self) -> int:
        """Tasks with which every split would surely be filled."""
        return max(_enough(self.least(part), share) for part, share in self.shares.items())

    def least(self, part: Part) -> int:
        """Tasks without which a session cannot do: training may repeat itself, but not live on repetition."""
        return math.ceil(SCARCE * self.needed[part]) if part == "train" else self.needed[part]


def needs(scenario: Scenario, skill: str) -> dict[Part, int]:
    """Distinct tasks that a session needs of a skill, by split.

    Probes are never trained on, so they must be distinct within a round only: a target's own and those under the rule
    of a weakness; a guard is asked as few as the sequential test allows. For training it is the most that one round
    can give to the skill, replay to a guard and the rest to a target; later rounds may repeat.
    """
    sizes, probe = scenario.splits, scenario.probe
    if scenario.skills[skill].guard:
        needed: dict[Part, int] = {"probe": probe.least, "exam": sizes.guard}
    else:
        needed = {"probe": probe.most + probe.aimed, "exam": sizes.select}
    return {**needed, "report": sizes.sealed, "train": round(part_of_round(scenario, skill) * scenario.rounds.samples)}


def part_of_round(scenario: Scenario, skill: str) -> float:
    """Share of a round's samples that may go to one skill at most."""
    replay = scenario.curation.replay
    return replay if scenario.skills[skill].guard else 1 - replay


def supply(splits: Splits, skill: str) -> Supply:
    """Count the tasks of a skill.

    Raises:
        PartError: the source refuses the skill's settings.
    """
    scenario = splits.scenario
    settings = scenario.skills[skill].task
    splits.source.check(skill, settings)
    tasks, needed = splits.source.size(skill, settings), needs(scenario, skill)
    shares = _shares(scenario)
    opened = splits.opened.get(skill, frozenset())
    gone = Counter(map(splits.part, opened))
    held: dict[Part, int] = {part: max(0, _surely(tasks, share) - gone[part]) for part, share in shares.items()}
    if splits.small(skill):
        # not for training: a source that draws by rejection needs long to find out that there is no more
        for part in HELD:
            found = len(splits.draw(skill, part, needed[part], stream="validation", beside=opened))
            # a full draw says only that there are as many, and the estimate may know of more
            held[part] = found if found < needed[part] else max(found, held[part])
    return Supply(skill, scenario.skills[skill].guard, tasks, held, needed, shares)


def _shares(scenario: Scenario) -> dict[Part, float]:
    sizes = scenario.splits
    rest = 1 - sizes.probe - sizes.exam - sizes.report
    return {"probe": sizes.probe, "exam": sizes.exam, "report": sizes.report, "train": rest}


def _surely(tasks: int, share: float) -> int:
    """Tasks that fall into a share of the hash range, at the least."""
    return max(0, math.floor(tasks * share - SIGMAS * math.sqrt(tasks * share * (1 - share))))


def _enough(wanted: int, share: float) -> int:
    """Fewest tasks of which so many surely fall into a share: `_surely` the other way round."""
    spread = SIGMAS * math.sqrt(share * (1 - share))
    # a task more, since whole tasks fall into a split
    return math.ceil(((spread + math.sqrt(spread**2 + 4 * share * wanted)) / (2 * share)) ** 2) + 1
