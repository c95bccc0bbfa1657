"""Default sizes that a small source cannot fill shrink to what it holds.

Only sizes that the scenario leaves open: what somebody wrote down is kept, and is an error where it does not fit. None
shrinks below what a session needs to decide anything, so a source that is far too small is refused.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..memory.errors import UsageError
from .schema import Probing, Scenario, Section, SplitSizes
from .splits import Part, Splits
from .supply import SCARCE, Supply, part_of_round, supply

EXAM = 30
"""Items below which an exam says too little: even a gain on each third of them is then hardly seen."""
PROBE, AIMED, FEWEST = 16, 8, 8
"""Least tasks per skill and round: in all, under the rule of a weakness, and before the sequential test may stop."""
FOCUS = 3
"""One in so many of the probe tasks that are there is for the rule of a weakness."""
SAMPLES = 64
"""Least samples of a round."""

Sizes = dict[str, int]


class Fitted(NamedTuple):
    """A scenario whose sizes its source can fill, as far as that is possible."""

    scenario: Scenario
    shrunk: tuple[str, ...]
    """What was made smaller, as in `splits.select 81 for 300`."""


def fit(splits: Splits) -> Fitted:
    """Shrink the sizes that the scenario does not set to what its source holds; a large source changes nothing."""
    scenario = splits.scenario
    try:
        supplies = [supply(splits, name) for name in sorted(scenario.skills)]
    except UsageError:
        # the source refuses a skill, and validation says so
        return Fitted(scenario, ())
    wanted: Mapping[str, tuple[Section, Sizes]] = {
        "splits": (scenario.splits, _exams(scenario.splits, supplies)),
        "probe": (scenario.probe, _probing(scenario.probe, supplies)),
        "rounds": (scenario.rounds, _round(scenario, supplies)),
    }
    smaller = {name: _smaller(section, sizes) for name, (section, sizes) in wanted.items()}
    changes = {name: wanted[name][0].model_copy(update=sizes) for name, sizes in smaller.items() if sizes}
    shrunk = tuple(
        f"{name}.{size} {count:,} for {getattr(wanted[name][0], size):,}"
        for name, sizes in smaller.items()
        for size, count in sizes.items()
    )
    return Fitted(scenario.model_copy(update=changes) if changes else scenario, shrunk)


def _exams(sizes: SplitSizes, supplies: Sequence[Supply]) -> Sizes:
    guards, targets = [s for s in supplies if s.guard], [s for s in supplies if not s.guard]
    return {
        "select": max(EXAM, _room(targets, "exam", sizes.select)),
        "guard": max(EXAM, _room(guards, "exam", sizes.guard)),
        "sealed": max(EXAM, _room(supplies, "report", sizes.sealed)),
    }


def _probing(probe: Probing, supplies: Sequence[Supply]) -> Sizes:
    """Sizes of a round's probes: those of a skill and those under a rule are of the same tasks."""
    room = _room([s for s in supplies if not s.guard], "probe", probe.most + probe.aimed)
    given = probe.model_fields_set
    aimed, most, least = probe.aimed, probe.most, probe.least
    if room < most + aimed and "aimed" not in given:
        aimed = max(AIMED, min(aimed, room - most if "most" in given else room // FOCUS))
    if room < most + aimed and "most" not in given:
        most = max(PROBE, room - aimed, least if "least" in given else 0)
    if "least" not in given:
        least = max(FEWEST, min(most, _room([s for s in supplies if s.guard], "probe", least)))
    return {"least": least, "most": most, "aimed": aimed}


def _round(scenario: Scenario, supplies: Sequence[Supply]) -> Sizes:
    """Samples of a round: no more than the targets have together, and none lives on repetition."""
    targets = sum(s.held["train"] for s in supplies if not s.guard) / (1 - scenario.curation.replay)
    shares = [(s.held["train"], part_of_round(scenario, s.skill)) for s in supplies]
    bounds = [targets, *(held / (SCARCE * share) for held, share in shares if share)]
    return {"samples": max(SAMPLES, int(min(bounds)))}


def _room(supplies: Sequence[Supply], part: Part, most: int) -> int:
    """Tasks that every one of these skills has for a split, up to `most`."""
    return min([most, *(s.held[part] for s in supplies)])


def _smaller(section: Section, sizes: Sizes) -> Sizes:
    """Sizes below their default, of those that the scenario leaves open."""
    given = section.model_fields_set
    return {name: count for name, count in sizes.items() if name not in given and count < getattr(section, name)}
