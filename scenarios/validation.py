"""Whether a scenario can decide anything: enough distinct tasks for every split, and exams that see what matters.

Nothing is raised here; what makes a session pointless is an error, what makes it weaker a warning.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..memory.errors import UsageError
from ..memory.statistics import block_chance, detectable_gain, detectable_loss, spent_alpha
from .schema import Scenario
from .splits import Part, Splits
from .supply import SCARCE, Supply, supply

GAIN_POWER, LOSS_POWER = 0.9, 0.8
"""Chances with which the smallest visible gain and loss are seen."""
BLOCKED = 0.2
"""Chance of stopping an unchanged model from which guards are too small."""
MOST_ITEMS = 3000
"""Items from which the figures are not worked out further; larger exams see at least as much."""
STEP, TOUCH = 50, 0.01
"""Steps in which a sufficient guard size, in items, and a sufficient margin, a share, are looked for."""


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


def validate(splits: Splits, *, shrunk: Sequence[str] = ()) -> Validation:
    """Check a scenario against its source.

    Args:
        splits: the scenario and its source.
        shrunk: sizes that were made smaller to fit the source, to be warned about.
    """
    scenario = splits.scenario
    errors: list[str] = []
    warnings: list[str] = []
    skills: list[Supply] = []
    for name in sorted(scenario.skills):
        try:
            found = supply(splits, name)
        except UsageError as error:
            errors.append(str(error))
            continue
        skills.append(found)
        errors += _short(found)
        warnings += _thin(found, scenario)
    if skills:
        warnings += splits.source.remarks()
    gate, sizes = scenario.gate, scenario.splits
    select, alpha = sizes.select * len(scenario.targets), spent_alpha(gate.alpha, 1, scenario.rounds.most)
    gain = detectable_gain(min(select, MOST_ITEMS), alpha=alpha, power=GAIN_POWER)
    if gain >= 1:
        errors.append(f"splits.select: {select} items can prove no gain at alpha {alpha:.3g} a round; use more items")
    items = min(sizes.guard, MOST_ITEMS)
    loss = detectable_loss(items, margin=gate.margin, alpha=gate.guard_alpha, power=LOSS_POWER)
    if shrunk:
        warnings.insert(0, _shrinking(shrunk, gain, loss if scenario.guards else None))
    blocked = _blocked(scenario, sizes.guard, gate.margin)
    if blocked > BLOCKED:
        warnings.append(_blocking(scenario, blocked, skills))
    if not scenario.guards:
        warnings.append("no skill is a guard; nothing stops a candidate that forgets what it knew")
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


def _short(supply: Supply) -> Iterator[str]:
    """Splits that cannot be filled, in one message; training may repeat tasks, but not live on repetition."""
    settings: dict[Part, str] = {
        "probe": f"probe.{'least' if supply.guard else 'most'}",
        "exam": f"splits.{'guard' if supply.guard else 'select'}",
        "report": "splits.sealed",
        "train": "rounds.samples",
    }
    if supply.short:
        lacking = ", ".join(f"{supply.held[p]:,} to {p}, which needs {supply.least(p):,}" for p in supply.short)
        sizes = ", ".join(settings[part] for part in supply.short)
        yield (
            f"skills.{supply.skill}: of its {supply.tasks:,} distinct tasks are sure to fall {lacking}; "
            f"widen the skill to {supply.enough:,} tasks or lower {sizes}"
        )


def _thin(supply: Supply, scenario: Scenario) -> Iterator[str]:
    """Training that could repeat itself."""
    held, needed = supply.held["train"], supply.needed["train"]
    if SCARCE * needed <= held < needed:
        yield f"skills.{supply.skill}: {held:,} distinct training tasks, where one round may ask for {needed:,}"
    if scenario.student.model:
        return
    first = scenario.student.first
    trained = first.skills or dict.fromkeys(scenario.guards, ())
    if supply.skill in trained and held < (each := first.samples // len(trained)):
        yield f"skills.{supply.skill}: the first training gets {held:,} distinct tasks where {each:,} are its share"


def _shrinking(shrunk: Sequence[str], gain: float, loss: float | None) -> str:
    """Say which sizes are smaller than by default, and what the exams see then."""
    stopped = f" and stop a loss of {100 * loss:.1f}" if loss is not None else ""
    return (
        f"the source holds too few tasks for default sizes, so this session takes {', '.join(shrunk)}; "
        f"its exams see a gain of {100 * gain:.1f} points{stopped}, and a weakness finer than its skill is followed "
        "only while probe tasks are left that were never asked"
    )


def _blocked(scenario: Scenario, items: int, margin: float) -> float:
    """Chance that at least one guard stops a model that is as good as the incumbent."""
    one = block_chance(min(items, MOST_ITEMS), 0.0, margin=margin, alpha=scenario.gate.guard_alpha)
    return 1 - (1 - one) ** len(scenario.guards)


def _blocking(scenario: Scenario, blocked: float, skills: Sequence[Supply]) -> str:
    """Say how often good models are stopped, and the margin or the guard size that mends it."""
    ways = [f"gate.margin = {margin:.2f}" for margin in [_tolerant(scenario)] if margin < 1]
    held = min((s.held["exam"] for s in skills if s.guard), default=0)
    sizes = range(scenario.splits.guard + STEP, min(held, MOST_ITEMS) + 1, STEP)
    enough = next((n for n in sizes if _blocked(scenario, n, scenario.gate.margin) <= BLOCKED), None)
    ways += [f"splits.guard = {enough}"] if enough else []
    way = " or ".join(ways) or "fewer guards"
    return f"the guards would stop an unchanged model in {blocked:.0%} of rounds; use {way}"


def _tolerant(scenario: Scenario) -> float:
    """Smallest margin at which guards of this size seldom stop an unchanged model."""
    margin = scenario.gate.margin + TOUCH
    while margin < 1 and _blocked(scenario, scenario.splits.guard, margin) > BLOCKED:
        margin += TOUCH
    return margin


def _supply(supply: Supply, width: int) -> str:
    kind = "guard " if supply.guard else "target"
    parts = "  ".join(f"{part} {held:,} (needs {supply.needed[part]:,})" for part, held in supply.held.items())
    return f"{kind}  {supply.skill:<{width}}  {supply.tasks:,} tasks  {parts}"
