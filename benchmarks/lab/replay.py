"""What a student forgets while it learns something else, and how little of the old data prevents it.

Claim: a small share of old samples among the new ones keeps most of what was known, at little cost to the new.

Papers: Scialom et al. 2022, arXiv:2205.12393 (one per cent of old data suffices for large models).

Protocol: a student that copies and reverses four digits learns to sort four and five from 6,000 samples, a share of
which is replaced by old ones, spread evenly; all arms have the same number of samples. What is kept decides: the mean
pass rate on the two old skills afterwards. Expected: without replay nearly all is lost; 5 % keeps most of it.
"""

from collections.abc import Callable
from random import Random

import numpy as np

from ..bench.course import Course, beginner
from ..bench.experiment import Arm, Experiment, Figure, Outcome
from ..bench.tasks import draw, mixture

OLD = {"copy-4": 0.5, "reverse-4": 0.5}
NEW = {"sort-4": 0.5, "sort-5": 0.5}
COURSE = Course(skills=NEW, first=OLD, first_samples=8_000)
SAMPLES = 6_000
EXAM = 200
SHARES = (0.0, 0.01, 0.05, 0.2)


def experiment() -> Experiment:
    """Shares of old samples against none."""
    return Experiment(
        claim="a small share of old samples keeps what was known at little cost to what is learned",
        expected="without replay nearly all is lost, 5 % keeps most of it",
        arms=[Arm(f"{share:.0%} old", _taught(share)) for share in SHARES],
        baseline="0% old",
        figures=[Figure("kept"), Figure("learned"), Figure("known before")],
        protocol={**COURSE.protocol(), "samples": SAMPLES, "shares": SHARES, "old": OLD},
    )


def _taught(share: float) -> Callable[[int], Outcome]:
    def run(seed: int) -> Outcome:
        exams = {
            name: {s: draw(s, EXAM, Random(f"replay exam {seed} {s}"), of="exam") for s in skills}
            for name, skills in (("old", OLD), ("new", NEW))
        }
        pupil, rng = beginner(COURSE, seed), Random(f"replay {seed}")
        before = pupil.marks(exams["old"])
        items = mixture(NEW, SAMPLES, rng)
        old = mixture(OLD, round(share * SAMPLES), rng)
        for number, item in enumerate(old):
            items[int((number + 0.5) * SAMPLES / len(old))] = item
        pupil.learn(items)
        after, new = pupil.marks(exams["old"]), pupil.marks(exams["new"])
        figures = {
            "kept": float(np.mean(list(after.values()))),
            "learned": float(np.mean(list(new.values()))),
            "known before": float(np.mean(list(before.values()))),
        }
        return Outcome(figures, notes={"before": before, "after": after, "new": new})

    return run
