"""The order of one pass: mixed, sorted, folded, by turns.

Claim: folding (L = 3) beats mixing, and sorting loses to it, since a student forgets what came first.

Paper: DELT, arXiv:2506.21545, which reports +1.65 points on eight tasks from single runs of a 160M model.

Protocol: one pass over 5,000 distinct samples of five skills that a student who knows easier ones goes on to learn; a
sample's score is the loss of its answer under that student (so ascending is from easy to hard), its negative, or its
rank among the samples of its own skill: loss mostly tells skills apart, and an order by it trains on one after another.
Scoring takes one forward pass and is not charged: all arms have the same samples and steps. Ten seeds. Expected: an
effect of a point or two at most, sorting worst.
"""

from collections.abc import Callable, Sequence
from random import Random

import numpy as np

from ...training.curation.orderer import Orderer
from ...training.curation.orderers.folding import Folding
from ...training.curation.orderers.interleave import Interleave
from ...training.curation.orderers.shuffle import Shuffle
from ...training.curation.orderers.sorted import Sorted
from ...training.curation.pool import Scores
from ..bench.course import Course, beginner, papers
from ..bench.experiment import Arm, Experiment, Figure, Outcome
from ..bench.pools import pool
from ..bench.tasks import Item, mixture

COURSE = Course(
    skills=dict.fromkeys(("copy-6", "reverse-4", "reverse-6", "sort-4", "sort-6"), 0.2),
    first={"copy-3": 1, "reverse-3": 1, "sort-3": 1},
    first_samples=6_000,
)
SAMPLES = 5_000
LAYERS = 3
SEEDS = 10
Scorer = Callable[[int, Sequence[Item]], Scores]
"""Gives the scores of a seed's samples."""


def experiment() -> Experiment:
    """Every order against a mixed one."""
    orders: dict[str, tuple[Orderer, Scorer]] = {
        "shuffle": (Shuffle(), hardness),
        "folding, easy to hard": (Folding(layers=LAYERS), hardness),
        "folding, hard to easy": (Folding(layers=LAYERS), ease),
        "folding, within skills": (Folding(layers=LAYERS), rank),
        "sorted, easy to hard": (Sorted(), hardness),
        "sorted, within skills": (Sorted(), rank),
        "interleave": (Interleave(), hardness),
    }
    return Experiment(
        claim="folding the order of a pass beats mixing it, and sorting it loses",
        expected="a point or two for folding, sorting worst",
        arms=[Arm(name, _trained_in(*order)) for name, order in orders.items()],
        baseline="shuffle",
        figures=[Figure("macro"), Figure("worst"), Figure("loss", better="lower")],
        protocol={**COURSE.protocol(), "samples": SAMPLES, "layers": LAYERS},
        seeds=SEEDS,
    )


def _trained_in(orderer: Orderer, score: Scorer) -> Callable[[int], Outcome]:
    def run(seed: int) -> Outcome:
        items = list(dict.fromkeys(mixture(COURSE.skills, SAMPLES, Random(f"folding {seed}"))))
        pupil = beginner(COURSE, seed)
        order = orderer.order(pool(items), score(seed, items), seed=seed)
        pupil.learn([items[place] for place in order])
        exam = papers(COURSE, seed)
        marks = pupil.marks(exam)
        loss = float(np.mean([pupil.losses(exam[skill]).mean() for skill in sorted(exam)]))
        figures = {"macro": float(np.mean(list(marks.values()))), "worst": min(marks.values()), "loss": loss}
        return Outcome(figures, notes={"marks": marks, "samples": len(items)})

    return run


def hardness(seed: int, items: Sequence[Item]) -> Scores:
    """Loss of each sample under the student that begins."""
    return beginner(COURSE, seed).losses(items)


def ease(seed: int, items: Sequence[Item]) -> Scores:
    """The same, the easiest highest."""
    return -hardness(seed, items)


def rank(seed: int, items: Sequence[Item]) -> Scores:
    """Share of the samples of its skill that are easier."""
    losses_S, skills_S = hardness(seed, items), np.array([item.skill for item in items])
    ranks_S = np.zeros(len(items))
    for skill in np.unique(skills_S):
        own = np.flatnonzero(skills_S == skill)
        ranks_S[own[np.argsort(losses_S[own], kind="stable")]] = np.arange(len(own)) / len(own)
    return ranks_S
