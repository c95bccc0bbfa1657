"""A small seed set, enlarged only where the student was wrong, or everywhere.

Claim: at an equal number of new samples, making them from the seed items that the student gets wrong teaches more than
making them from all.

Paper: Lee et al. 2024, LLM2LLM, arXiv:2403.15042 (augment only what is wrong, only from the original seed set, train
again from the start each time).

Protocol: `SEEDS` seed items a skill of a skewed difficulty; `ROUNDS` times the student is trained from its first
weights on all samples so far, sits the seed items, and `NEW` samples are made from some of them: half the characters
drawn anew. Arms: from all seed items; from the wrong ones; from the wrong ones and what was made before and is wrong
(recursive); and each of the last two with a generator that answers `ERRS` of its samples wrongly. Every training takes
the same number of steps, `STEPS`. Expected: wrong-only above all; recursive no better, and worse with the erring
generator, since its errors count as wrong for ever.
"""

from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from statistics import fmean

from ..bench.experiment import Arm, Experiment, Figure, Outcome
from ..bench.pupil import BATCH, Pupil
from ..bench.tasks import Item, draw, mixture, spoiled, varied

SKILLS = ("list-a", "list-b", "copy-4", "sort-4", "sort-5", "sort-6")
FIRST = {"list-a": 1.0, "copy-4": 1.0, "sort-3": 1.0}
FIRST_SAMPLES, SEEDS, NEW, ROUNDS, STEPS, EXAM, ERRS = 4_000, 40, 400, 2, 120, 150, 0.1
Choose = Callable[[Sequence[Item], Sequence[Item], Pupil], Sequence[Item]]
"""Which items new ones are made from, of the seed items and those made so far."""


def experiment() -> Experiment:
    """All seed items, wrong ones, and wrong ones of everything, with a generator that is right or errs."""
    arms: dict[str, tuple[Choose, float]] = {
        "all": (_all, 0.0),
        "wrong only": (_wrong, 0.0),
        "recursive": (_recursive, 0.0),
        "wrong only, erring": (_wrong, ERRS),
        "recursive, erring": (_recursive, ERRS),
    }
    return Experiment(
        claim="new samples made from wrong seed items teach more than as many made from all of them",
        expected="wrong only above all; recursive no better, worse with a generator that errs",
        arms=[Arm(name, partial(_run, choose=choose, errs=errs)) for name, (choose, errs) in arms.items()],
        baseline="all",
        figures=[Figure("macro"), Figure("worst")],
        protocol={
            "skills": SKILLS, "first": FIRST, "first_samples": FIRST_SAMPLES, "seeds": SEEDS, "new": NEW,
            "rounds": ROUNDS, "steps": STEPS, "exam": EXAM, "errs": ERRS,
        },
    )  # fmt: skip


def _run(seed: int, *, choose: Choose, errs: float) -> Outcome:
    rng = Random(f"wrong only {seed}")
    start = Pupil(seed)
    start.learn(mixture(FIRST, FIRST_SAMPLES, rng))
    seeds = [item for skill in SKILLS for item in draw(skill, SEEDS, rng)]
    exam = {skill: draw(skill, EXAM, rng, of="exam") for skill in SKILLS}
    made: list[Item] = []
    curve: list[list[float]] = []
    for _ in range(ROUNDS):
        pupil = _trained(start, seed, [*seeds, *made], rng)
        from_ = choose(seeds, made, pupil) or seeds
        fresh = [varied(item, rng) for item in rng.choices(from_, k=NEW)]
        made += [spoiled(item, rng) if rng.random() < errs else item for item in fresh]
        curve.append([float(len(made)), fmean(pupil.marks(exam).values())])
    marks = _trained(start, seed, [*seeds, *made], rng).marks(exam)
    return Outcome({"macro": fmean(marks.values()), "worst": min(marks.values())}, curve, {"marks": marks})


def _trained(start: Pupil, seed: int, items: Sequence[Item], rng: Random) -> Pupil:
    pupil = Pupil(seed).restore(start.state())
    shuffled = [item for _ in range(STEPS * BATCH // len(items) + 1) for item in rng.sample(items, len(items))]
    pupil.learn(shuffled[: STEPS * BATCH])
    return pupil


def _all(seeds: Sequence[Item], made: Sequence[Item], pupil: Pupil) -> Sequence[Item]:
    del made, pupil
    return seeds


def _wrong(seeds: Sequence[Item], made: Sequence[Item], pupil: Pupil) -> Sequence[Item]:
    del made
    return [item for item, right in zip(seeds, pupil.passes(seeds), strict=True) if not right]


def _recursive(seeds: Sequence[Item], made: Sequence[Item], pupil: Pupil) -> Sequence[Item]:
    return _wrong([*seeds, *made], (), pupil)
