"""An experiment: arms that differ in one thing, run on the same seeds, against a baseline that is named.

Everything that could be chosen afterwards stands in it beforehand: the claim, the figure that decides, the direction
that counts as better, the protocol's numbers. A run whose protocol reads otherwise is not taken for one of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Json = dict[str, Any]
SEEDS = 5
"""Seeds that an experiment has at least."""
PILOT = 100
"""Seeds from here on are for trying things out; none of them is reported."""


class Outcome(NamedTuple):
    """What one run came to."""

    figures: Mapping[str, float]
    curve: Sequence[Sequence[float]] = ()
    """Points of a learning curve; what its columns are is the experiment's matter."""
    notes: Mapping[str, Any] = {}
    """Whatever else is worth keeping, such as whether it was censored."""


@dataclass(frozen=True)
class Arm:
    """One way of doing it."""

    name: str
    run: Callable[[int], Outcome]
    """Runs it with a seed: initial weights, data and order follow from it, and are the same in every arm."""
    about: str = ""


@dataclass(frozen=True)
class Figure:
    """One thing that is measured."""

    name: str
    better: Literal["higher", "lower"] = "higher"
    show: str = "{:.3f}"
    """How it is printed."""
    compare: Literal["difference", "ratio"] = "difference"
    """How an arm is held against the baseline; a ratio is of means over seeds."""


@dataclass(frozen=True)
class Experiment:
    """Arms, and what is asked of them."""

    claim: str
    """What is said to help, in one sentence."""
    expected: str
    """What should come out if that is true here."""
    arms: Sequence[Arm]
    baseline: str
    """Name of the arm that the others are held against."""
    figures: Sequence[Figure]
    """The first one decides."""
    protocol: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Numbers that were fixed beforehand."""
    seeds: int = SEEDS
    first: int = 0
    """Seed that it begins with: a protocol that was mended after its seeds were seen has to go on to others."""
    checks: Callable[[Mapping[str, Sequence[Outcome]]], Sequence[tuple[str, str, str, bool]]] | None = None
    """Promises, from the outcomes of each arm in the order of seeds: claim, measured, required, met."""

    def __post_init__(self) -> None:
        """Refuse what cannot be compared.

        Raises:
            ValueError: no arm is the baseline, or two have one name.
        """
        names = [arm.name for arm in self.arms]
        if self.baseline not in names or len(set(names)) < len(names):
            raise ValueError(f"baseline {self.baseline!r} must be one of the arms {names}, each named once")
