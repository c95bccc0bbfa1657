"""Allocators on skills of staggered difficulty, with one that is solved already and one that is noise.

Claim: giving the budget to what can be learned now reaches a macro pass rate with fewer samples than an even split;
giving it to what fails most (failure-proportional) pays for noise.

Papers: Matiisen et al. 2017, arXiv:1707.00183 (learning progress); Florensa et al. 2018, arXiv:1705.06366
(intermediate difficulty); Chen et al. 2023, arXiv:2307.14430 (Skill-It).

Protocol: `COURSE` below; every allocator there is, default settings, fresh samples, probes charged one sample each; an
even split that never probes and pays nothing for it is the baseline. The student knows `list-a` and shorter versions
of some others, so that most skills begin at 0. Expected: `learnability` and `progress` below 1 in samples, `failure`
at or above 1 with the largest share spent on noise.
"""

from collections.abc import Callable
from functools import partial

from ...agents.allocator import Allocator
from ...memory.parts import PartSpec, known, load
from ..bench.course import Course, by_shares, split_by, take
from ..bench.experiment import Arm, Experiment, Figure, Outcome
from ..bench.tasks import NOISE

PACKAGE = "evolvent.agents.allocators"
COURSE = Course(
    skills={
        "list-a": 0.3,
        "list-b": 0.14,
        "copy-4": 0.12,
        "sort-4": 0.12,
        "reverse-3": 0.08,
        "sort-6": 0.07,
        "sort-8": 0.05,
        NOISE: 0.12,
    },
    first={"list-a": 1, "copy-3": 1, "sort-3": 1},
    first_samples=6_000,
    most=12_000,
)
BASELINE = "even, unprobed"


def experiment() -> Experiment:
    """Every allocator against an even split."""
    names = [name for name in known(PACKAGE) if name != "uniform"]
    parts = [load(PartSpec(name=name), base=Allocator, package=PACKAGE, where="lab") for name in names]
    arms = [Arm(BASELINE, partial(take, COURSE, teach=by_shares(dict.fromkeys(COURSE.skills, 1)), probed=False))]
    arms += [Arm(part.name, _course_of(part)) for part in parts]
    return Experiment(
        claim="splitting a budget by what can be learned now needs fewer samples than splitting it evenly",
        expected="learnability and progress below 1, failure not, since it pays for noise",
        arms=arms,
        baseline=BASELINE,
        figures=[
            Figure("samples", better="lower", show="{:,.0f}", compare="ratio"),
            Figure("area"),
            Figure("worst"),
            Figure("noise", better="lower"),
        ],
        protocol=COURSE.protocol(),
    )


def _course_of(part: Allocator) -> Callable[[int], Outcome]:
    return lambda seed: take(COURSE, seed, split_by(part), probed=True)
