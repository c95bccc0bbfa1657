"""A course: rounds of probing, splitting the round's samples over skills, and learning them; as a session, in seconds.

The split is the project's own: a real allocator sees the same `History` as in a session, with the same rules for
mastery and giving up. What differs from a session: the student goes on from the last round instead of the base, and
every round counts as promoted. Probes cost: each counts as one sample, though it takes a third of a sample's work.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from random import Random
from typing import NamedTuple

from ...agents.allocator import Allocator, History
from ...agents.lives import hopeless
from ...agents.probing import conclude
from ...scenarios.schema import Probing
from .experiment import Json, Outcome
from .pupil import RATE, Pupil, State
from .tasks import Item, draw, learnable, mixture

Batch = Sequence[Item]


class View(NamedTuple):
    """What an arm may look at."""

    histories: Sequence[History]
    asked: Sequence[tuple[Item, bool]]
    """This round's probes, and whether they were answered right; none where nothing is probed."""


Teach = Callable[[View, int, Random], Batch]
"""Gives a round's samples, from what the skills showed so far, how many, and the only source of chance."""


@dataclass(frozen=True)
class Course:
    """What all arms of an experiment share."""

    skills: Mapping[str, float]
    """Every skill, and its share in the mix that people have."""
    first: Mapping[str, float]
    """What the student learned before, by weight."""
    first_samples: int = 12_000
    round: int = 2_000
    """Samples of a round, probes among them."""
    most: int = 40_000
    """Samples after which a course ends, whatever was reached."""
    target: float = 0.9
    """Macro pass rate over the learnable skills that is to be reached."""
    probes: int = 32
    """Per skill and round: as few as the sequential test needs to call a skill mastered."""
    least: int | None = None
    """Probes after which the sequential test may call a skill failing, as in a session; None asks all of them."""
    exam: int = 100
    """Items per skill."""
    every: int = 500
    """Samples between two exams."""
    rate: float = RATE
    """Learning rate."""

    def protocol(self) -> Json:
        """Its numbers."""
        numbers = {name: value for name, value in vars(self).items() if value is not None}
        return {**numbers, "skills": dict(self.skills), "first": dict(self.first)}


def take(course: Course, seed: int, teach: Teach, *, probed: bool, stop: bool = True) -> Outcome:
    """Go through a course and say how many samples it took.

    Args:
        course: what is to be learned.
        seed: of the weights, the exam and every draw.
        teach: the arm.
        probed: whether it looks at the student, and pays for it.
        stop: whether it ends when the target is reached.
    """
    pupil, exam = beginner(course, seed), papers(course, seed)
    rng, seen = Random(f"course {seed}"), {skill: _Seen() for skill in course.skills}
    spent, curve = 0, [[0.0, *_marks(pupil, exam)]]
    while spent < course.most and not (stop and curve[-1][1] >= course.target):
        asked = _probe(pupil, course, seen, rng) if probed else []
        cost = len(asked)
        view = View([s.history(name, course) for name, s in seen.items()], asked)
        batch = teach(view, course.round - cost, rng)
        for name, own in seen.items():
            own.taught.append(sum(item.skill == name for item in batch))
        spent += cost
        for part in _parts(rng.sample(batch, len(batch)), course.every):
            pupil.learn(part)
            spent += len(part)
            curve.append([float(spent), *_marks(pupil, exam)])
            if stop and curve[-1][1] >= course.target:
                break
    return _outcome(course, curve, seen)


def split_by(allocator: Allocator) -> Teach:
    """Teach what an allocator says, fresh samples of every skill."""

    def teach(view: View, count: int, rng: Random) -> Batch:
        portions = allocator.split(view.histories, count, replay=0, skills=len(view.histories))
        return [item for skill in sorted(portions) for item in draw(skill, portions[skill].samples, rng)]

    return teach


def by_shares(shares: Mapping[str, float]) -> Teach:
    """Teach a fixed mix, whatever the student shows."""
    return lambda view, count, rng: mixture(shares, count, rng)


@lru_cache(maxsize=2)
def _first_state(first: tuple[tuple[str, float], ...], samples: int, rate: float, seed: int) -> State:
    pupil = Pupil(seed, rate=rate)
    pupil.learn(mixture(dict(first), samples, Random(f"first {seed}")))
    return pupil.state()


def beginner(course: Course, seed: int) -> Pupil:
    """The student that every arm starts from."""
    state = _first_state(tuple(sorted(course.first.items())), course.first_samples, course.rate, seed)
    return Pupil(seed, rate=course.rate).restore(state)


def papers(course: Course, seed: int) -> dict[str, list[Item]]:
    """The exam: items that no training draws."""
    skills = learnable(sorted(course.skills))
    return {skill: draw(skill, course.exam, Random(f"exam {seed} {skill}"), of="exam") for skill in skills}


def _parts(batch: Batch, size: int) -> list[Batch]:
    return [batch[at : at + size] for at in range(0, len(batch), size)]


class _Seen:
    """What a skill showed."""

    def __init__(self) -> None:
        self.passed: list[int] = []
        self.tried: list[int] = []
        self.taught: list[int] = []
        self.abandoned = False

    def history(self, skill: str, course: Course) -> History:
        passed, tried = tuple(self.passed) or (0,), tuple(self.tried) or (0,)
        rounds = len(passed)
        mastered = conclude(passed[-1], tried[-1], Probing()) == "mastered"
        made = History(
            skill=skill,
            passed=passed,
            tried=tried,
            chance=(0.0,) * rounds,
            taught=tuple(self.taught[: rounds - 1]),
            promoted=tuple(range(1, rounds)),
            mastered=mastered,
            abandoned=False,
            share=course.skills[skill],
        )
        # what was given up stays so unless it is mastered, as in a session
        self.abandoned = not mastered and (self.abandoned or hopeless(made))
        return replace(made, abandoned=self.abandoned)


def _probe(pupil: Pupil, course: Course, seen: Mapping[str, _Seen], rng: Random) -> list[tuple[Item, bool]]:
    """Ask some items of every skill, and no more of one that the sequential test has decided."""
    looks = [course.probes] if course.least is None else [course.least, course.probes - course.least]
    asked: list[tuple[Item, bool]] = []
    open_ = sorted(seen)
    for look in looks:
        items = [item for skill in open_ for item in draw(skill, look, rng, of="probe")]
        asked += zip(items, map(bool, pupil.passes(items)), strict=True)
        open_ = [skill for skill in open_ if conclude(*_count(asked, skill), Probing()) == "undecided"]
    for skill, own in seen.items():
        passed, tried = _count(asked, skill)
        own.passed.append(passed)
        own.tried.append(tried)
    return asked


def _count(asked: Sequence[tuple[Item, bool]], skill: str) -> tuple[int, int]:
    """Passed and tried."""
    right = [passed for item, passed in asked if item.skill == skill]
    return sum(right), len(right)


def _marks(pupil: Pupil, exam: Mapping[str, Sequence[Item]]) -> list[float]:
    """Macro pass rate, the lowest one, and each in the order of names."""
    marks = pupil.marks(exam)
    return [sum(marks.values()) / len(marks), min(marks.values()), *(marks[skill] for skill in sorted(marks))]


def _outcome(course: Course, curve: list[list[float]], seen: Mapping[str, _Seen]) -> Outcome:
    needed = next((point[0] for point in curve if point[1] >= course.target), None)
    taught = {skill: sum(own.taught) for skill, own in seen.items()}
    figures = {
        "samples": float(course.most if needed is None else min(needed, course.most)),
        "macro": curve[-1][1],
        "worst": curve[-1][2],
        "area": area(curve, course.most),
        "noise": sum(n for skill, n in taught.items() if skill not in learnable([skill]))
        / max(1, sum(taught.values())),
    }
    return Outcome(figures, curve, {"censored": needed is None, "taught": taught})


def area(curve: Sequence[Sequence[float]], most: float) -> float:
    """Mean macro pass rate over all samples up to the cap; a course that ended before stays at what it came to."""
    drawn = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(curve))
    return (drawn + max(0.0, most - curve[-1][0]) * curve[-1][1]) / max(most, curve[-1][0])
