"""Whether a scenario can decide anything: enough distinct tasks for every split, and exams that see what matters.

Nothing is raised here; what makes a session pointless is an error, what makes it weaker a warning. Counts come from the
source's own size and the shares of the splits; small skills are drawn for real, since a hash divides them unevenly.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..memory.errors import UsageError
from ..memory.statistics import block_chance, detectable_gain, detectable_loss, spent_alpha
from .schema import Scenario
from .splits import Part, Splits

HELD: tuple[Part, ...] = ("probe", "exam", "report")
"""Splits that must be filled."""
SMALL = 5000
"""Tasks of a skill below which the splits are drawn for real."""
SCARCE = 0.1
"""Share of the training tasks a round may ask for below which a skill cannot be taught."""
SIGMAS = 3.0
"""Standard deviations that a split may fall short of its share: one in 700 does."""
GAIN_POWER, LOSS_POWER = 0.9, 0.8
"""Chances with which the smallest visible gain and loss are seen."""
BLOCKED = 0.2
"""Chance of stopping an unchanged model from which guards are too small."""
MOST_ITEMS = 3000
"""Items from which the figures are not worked out further; larger exams see at least as much."""
STEP = 50
"""Steps in which a sufficient guard size is looked for."""


@dataclass(frozen=True, slots=True)
class Supply:
    """Distinct tasks of one skill: there are, and needed."""

    skill: str
    guard: bool
    tasks: int
    held: Mapping[Part, int]
    """By split, as many as are there at least."""
    needed: Mapping[Part, int]


@dataclass(frozen=True, slots=True)
class Validation:
    """What a scenario can do, and what is wrong with it."""

    skills: tuple[Supply, ...]
    select: int
    """Items of the select exam, over all targets."""
    guard: int
    """Items per guard skill."""
    alpha: float
    """Error of one round's promotion test."""
    gain: float
    """Smallest gain the select exam sees, as a share of its items."""
    losses: Mapping[str, float]
    """Smallest loss that each guard stops, as a share of its items."""
    blocked: float
    """Chance that the guards together stop an unchanged model, which is one that differs on 2 % of their items."""
    errors: tuple[str, ...]
    warnings: tuple[str, ...]

    def lines(self) -> list[str]:
        """Give everything as text to read."""
        width = max((len(s.skill) for s in self.skills), default=0)
        lines = [_supply(s, width) for s in self.skills]
        lines.append(
            f"select  {self.select:,} items: sees a gain of {100 * self.gain:.1f} points "
            f"({GAIN_POWER:.0%} power, alpha {self.alpha:.3g} a round)"
        )
        lines += [
            f"guard   {name}, {self.guard:,} items: stops a loss of {100 * loss:.1f} points ({LOSS_POWER:.0%} power)"
            for name, loss in self.losses.items()
        ]
        if self.losses:
            lines.append(f"guards  stop an unchanged model in {self.blocked:.0%} of rounds")
        return lines + [f"warning {text}" for text in self.warnings] + [f"error   {text}" for text in self.errors]


def validate(splits: Splits) -> Validation:
    """Check a scenario against its source."""
    scenario = splits.scenario
    errors: list[str] = []
    warnings: list[str] = []
    skills: list[Supply] = []
    for name in sorted(scenario.skills):
        try:
            supply = _supplied(splits, name)
        except UsageError as error:
            errors.append(str(error))
            continue
        skills.append(supply)
        errors += _short(supply)
        warnings += _thin(supply, scenario)
    gate, sizes = scenario.gate, scenario.splits
    select, alpha = sizes.select * len(scenario.targets), spent_alpha(gate.alpha, 1, scenario.rounds.most)
    gain = detectable_gain(min(select, MOST_ITEMS), alpha=alpha, power=GAIN_POWER)
    if gain >= 1:
        errors.append(f"splits.select: {select} items can prove no gain at alpha {alpha:.3g} a round; use more items")
    blocked = _blocked(scenario, sizes.guard)
    if blocked > BLOCKED:
        warnings.append(_blocking(scenario, blocked))
    if not scenario.guards:
        warnings.append("no skill is a guard; nothing stops a candidate that forgets what it knew")
    items = min(sizes.guard, MOST_ITEMS)
    loss = detectable_loss(items, margin=gate.margin, alpha=gate.guard_alpha, power=LOSS_POWER)
    return Validation(
        skills=tuple(skills),
        select=select,
        guard=sizes.guard,
        alpha=alpha,
        gain=gain,
        losses=dict.fromkeys(scenario.guards, loss),
        blocked=blocked,
        errors=tuple(errors),
        warnings=tuple(warnings),
    )


def needs(scenario: Scenario, skill: str) -> dict[Part, int]:
    """Distinct tasks that a session needs of a skill, by split.

    Probes are never trained on, so they must be distinct within a round only: a target's own and those under the rule
    of a weakness; a guard is asked as few as the sequential test allows. For training it is the most that one round
    can give to the skill, replay to a guard and the rest to a target; later rounds may repeat.
    """
    sizes, probe, replay = scenario.splits, scenario.probe, scenario.curation.replay
    guard = scenario.skills[skill].guard
    exam, share = (sizes.guard, replay) if guard else (sizes.select, 1 - replay)
    probed = probe.least if guard else probe.most + probe.aimed
    return {"probe": probed, "exam": exam, "report": sizes.sealed, "train": round(share * scenario.rounds.samples)}


def _supplied(splits: Splits, skill: str) -> Supply:
    scenario = splits.scenario
    settings, guard = scenario.skills[skill].task, scenario.skills[skill].guard
    splits.source.check(skill, settings)
    tasks, needed, sizes = splits.source.size(skill, settings), needs(scenario, skill), scenario.splits
    rest = 1 - sizes.probe - sizes.exam - sizes.report
    shares: dict[Part, float] = {"probe": sizes.probe, "exam": sizes.exam, "report": sizes.report, "train": rest}
    held: dict[Part, int] = {part: _surely(tasks, share) for part, share in shares.items()}
    if tasks < SMALL:
        # not for training: a source that draws by rejection needs long to find out that there is no more
        for part in HELD:
            found = len(splits.draw(skill, part, needed[part], stream="validation"))
            # a full draw says only that there are as many, and the estimate may know of more
            held[part] = found if found < needed[part] else max(found, held[part])
    return Supply(skill, guard, tasks, held, needed)


def _surely(tasks: int, share: float) -> int:
    """Tasks that fall into a share of the hash range, at the least."""
    return max(0, math.floor(tasks * share - SIGMAS * math.sqrt(tasks * share * (1 - share))))


def _short(supply: Supply) -> Iterator[str]:
    """Splits that cannot be filled; training may repeat tasks, but not live on repetition."""
    settings: dict[Part, str] = {
        "probe": f"probe.{'least' if supply.guard else 'most'}",
        "exam": f"splits.{'guard' if supply.guard else 'select'}",
        "report": "splits.sealed",
        "train": "rounds.samples",
    }
    for part, held in supply.held.items():
        needed = math.ceil(SCARCE * supply.needed[part]) if part == "train" else supply.needed[part]
        if held < needed:
            yield (
                f"skills.{supply.skill}: {held:,} of its {supply.tasks:,} distinct tasks are sure to fall to {part}, "
                f"which needs {needed:,}; widen the skill, raise splits.{part} or lower {settings[part]}"
            ).replace("raise splits.train", "lower the other splits")


def _thin(supply: Supply, scenario: Scenario) -> Iterator[str]:
    """Training that could repeat itself."""
    held, needed = supply.held["train"], supply.needed["train"]
    if SCARCE * needed <= held < needed:
        yield f"skills.{supply.skill}: {held:,} distinct training tasks, where one round may ask for {needed:,}"
    first = scenario.student.first
    trained = first.skills or dict.fromkeys(scenario.guards, ())
    if supply.skill in trained and held < (each := first.samples // len(trained)):
        yield f"skills.{supply.skill}: the first training gets {held:,} distinct tasks where {each:,} are its share"


def _blocked(scenario: Scenario, items: int) -> float:
    """Chance that at least one guard stops a model that is as good as the incumbent."""
    gate = scenario.gate
    one = block_chance(min(items, MOST_ITEMS), 0.0, margin=gate.margin, alpha=gate.guard_alpha)
    return 1 - (1 - one) ** len(scenario.guards)


def _blocking(scenario: Scenario, blocked: float) -> str:
    """Say how often good models are stopped, and the guard size that mends it."""
    sizes = range(scenario.splits.guard + STEP, MOST_ITEMS, STEP)
    enough = next((items for items in sizes if _blocked(scenario, items) <= BLOCKED), None)
    way = f"use splits.guard = {enough}" if enough else "use a larger gate.margin"
    return f"the guards would stop an unchanged model in {blocked:.0%} of rounds; {way}"


def _supply(supply: Supply, width: int) -> str:
    kind = "guard " if supply.guard else "target"
    parts = "  ".join(f"{part} {held:,} (needs {supply.needed[part]:,})" for part, held in supply.held.items())
    return f"{kind}  {supply.skill:<{width}}  {supply.tasks:,} tasks  {parts}"
