"""The same generator with and without a look at what the student got wrong.

Claim: writing tasks like the ones that were failed teaches more than writing as many like any others.

Paper: Khan et al. 2024, DataEnvGym, arXiv:2410.06215 (its agents with state against the same without: +1.1 to +3.5
points, single runs).

Protocol: `COURSE` below. Every arm probes as much and pays for it, and makes each sample by the same generator: half
the characters of a probe item are drawn anew. "No state" takes any item, "with state" only failed ones, "with state,
noise given up" only failed ones of skills that were not given up by the project's rule. Expected: with state needs
fewer samples only where noise is given up, since otherwise all of noise counts as failed.
"""

from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from ..bench.course import Batch, Course, View, take
from ..bench.experiment import Arm, Experiment, Figure
from ..bench.tasks import NOISE, Item, varied

SKILLS = ("list-a", "list-b", "copy-4", "sort-4", "sort-5", "sort-7", "sort-9", NOISE)
COURSE = Course(
    skills=dict.fromkeys(SKILLS, 1 / len(SKILLS)),
    first={"list-a": 4, "list-b": 2, "copy-4": 2, "sort-4": 1, "sort-5": 1},
    first_samples=6_000,
    most=12_000,
)
Choose = Callable[[View], Sequence[Item]]
"""Which of the probes a generator starts from."""


def experiment() -> Experiment:
    """One generator, three choices of what it starts from."""
    arms = {"no state": _any, "with state": _failed, "with state, noise given up": _hopeful}
    return Experiment(
        claim="writing tasks like the failed ones needs fewer samples than writing tasks like any",
        expected="below 1 with noise given up, not without",
        arms=[Arm(name, partial(take, COURSE, teach=_like(choose), probed=True)) for name, choose in arms.items()],
        baseline="no state",
        figures=[
            Figure("samples", better="lower", show="{:,.0f}", compare="ratio"),
            Figure("area"),
            Figure("worst"),
            Figure("noise", better="lower"),
        ],
        protocol=COURSE.protocol(),
    )


def _any(view: View) -> list[Item]:
    return [item for item, _ in view.asked]


def _failed(view: View) -> list[Item]:
    return [item for item, right in view.asked if not right]


def _hopeful(view: View) -> list[Item]:
    given_up = {history.skill for history in view.histories if history.abandoned}
    return [item for item in _failed(view) if item.skill not in given_up]


def _like(choose: Choose) -> Callable[[View, int, Random], Batch]:
    def teach(view: View, count: int, rng: Random) -> Batch:
        return [varied(item, rng) for item in rng.choices(choose(view) or _any(view), k=count)]

    return teach
