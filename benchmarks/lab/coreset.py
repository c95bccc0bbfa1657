"""How little of an accumulated set keeps the exam where it is.

Claim: a part that is chosen keeps more of the score than a part that is drawn; a small set written anew keeps more yet.

Papers: herding, arXiv:1203.3472; k-center, arXiv:1708.00489; dataset distillation by a generator, arXiv:2404.00264.

Protocol: the set is what sessions accumulate: 3,000 samples of four skills, skewed 8 : 4 : 2 : 1, a fifth of them there
twice. Every arm trains on 4,000 samples drawn from its part of it, so that all have the same steps; a tenth and a
quarter are kept. Vectors are the product's default ones of question and answer. `condensed` writes a tenth anew
(`training/curation/condensing.py`, at a smaller size than its default to be done in seconds) and leaves out what is
wrong. Choosing is not charged. Expected: what covers the rare skills keeps more than a draw.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np

from ...memory.embedders.hashing import Hashing
from ...memory.parts import PartSpec, known, load
from ...training.curation.condensing import Condensing
from ...training.curation.selector import Selector
from ..bench.course import Course, beginner, papers
from ..bench.experiment import Arm, Experiment, Figure, Outcome
from ..bench.pools import pool
from ..bench.tasks import SOLVE, Item, mixture, part, right

PACKAGE = "evolvent.training.curation.selectors"
COURSE = Course(
    skills={"reverse-4": 8, "sort-4": 4, "reverse-6": 2, "sort-6": 1},
    first={"copy-4": 1, "reverse-3": 1, "sort-3": 1},
    first_samples=6_000,
)
WHOLE, TWICE = 2_500, 500
TRAINED = 4_000
CHOOSING = ("balanced", "facility", "herding", "k_center")
"""Selectors that choose by what a sample is, not by a score."""
CONDENSING = Condensing(writing=150, matching=30)

Keep = Callable[[Sequence[Item], int], Sequence[Item]]
"""Gives what is kept of a set, by a seed."""


def experiment() -> Experiment:
    """Ways to keep a part, against drawing it."""
    names = ["random", *(name for name in CHOOSING if name in known(PACKAGE))]
    arms = {f"{name}, {share:.0%}": partial(_chosen, name, share) for share in (0.1, 0.25) for name in names}
    arms |= {"condensed, 10%": partial(_condensed, 0.1), "whole": lambda items, seed: items}
    return Experiment(
        claim="a tenth that is chosen keeps more of the exam than a tenth that is drawn",
        expected="balanced and covering selectors above a draw of their size, none above the whole set",
        arms=[Arm(name, _trained_on(keep)) for name, keep in arms.items()],
        baseline="random, 10%",
        figures=[Figure("macro"), Figure("worst"), Figure("loss", better="lower")],
        protocol={
            **COURSE.protocol(), "whole": WHOLE, "twice": TWICE, "trained": TRAINED,
            "condensing": CONDENSING.model_dump(),
        },
    )  # fmt: skip


def _trained_on(keep: Keep) -> Callable[[int], Outcome]:
    def run(seed: int) -> Outcome:
        rng = Random(f"coreset {seed}")
        items = mixture(COURSE.skills, WHOLE, rng)
        items += rng.sample(items, TWICE)
        kept, exam = keep(items, seed), papers(COURSE, seed)
        pupil = beginner(COURSE, seed)
        pupil.learn(Random(f"order {seed}").choices(kept, k=TRAINED))
        marks = pupil.marks(exam)
        loss = float(np.mean([pupil.losses(exam[skill]).mean() for skill in sorted(exam)]))
        figures = {"macro": float(np.mean(list(marks.values()))), "worst": min(marks.values()), "loss": loss}
        return Outcome(figures, notes={"marks": marks, "kept": len(kept)})

    return run


def _chosen(name: str, share: float, items: Sequence[Item], seed: int) -> Sequence[Item]:
    selector = load(PartSpec(name=name), base=Selector, package=PACKAGE, where="lab")
    chosen = selector.select(pool(items, Hashing().embed), np.zeros(len(items)), round(share * len(items)), seed=seed)
    return [items[place] for place in chosen]


def _condensed(share: float, items: Sequence[Item], seed: int) -> Sequence[Item]:
    count = round(share * len(items))
    with TemporaryDirectory() as folder:
        learner = beginner(COURSE, seed).save(Path(folder) / "learner")
        made = CONDENSING.condense(pool(items), count, learners=[learner], seed=seed)
    written = [Item("condensed", str(row.question), row.answer) for row in made.rows]
    # what an exam may ask must not be trained on, whoever wrote it
    sound = [i for i in written if i.prompt[:1] in SOLVE and i.prompt[1:].isdigit() and part(i.prompt) == "train"]
    return [item for item in sound if right(item)]
