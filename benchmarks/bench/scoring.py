"""What experiments with the product's scorers share: items scored by a part, and a fixed number of steps on some."""

import asyncio
from collections.abc import Sequence
from random import Random

import numpy as np
from numpy.typing import NDArray

from ...training.curation.pool import Context, Pool, Scores
from ...training.curation.scorer import Scorer
from .pupil import BATCH, Pupil
from .tasks import Item


def score(scorer: Scorer, pool: Pool, context: Context) -> Scores:
    """Score a pool outside of any session."""
    return asyncio.run(scorer.score(pool, context))


def practise(pupil: Pupil, items: Sequence[Item], *, steps: int, rng: Random) -> Pupil:
    """Take a fixed number of steps, going over the items in a new order as often as that takes."""
    while steps > 0:
        order = rng.sample(items, len(items))[: steps * BATCH]
        pupil.learn(order)
        steps -= -(-len(order) // BATCH)
    return pupil


def area(scores_S: Scores, good_S: NDArray[np.bool_]) -> float:
    """Chance that a good sample scores higher than a bad one, ties counting half: the area under the ROC curve."""
    good, bad = np.sort(scores_S[good_S]), scores_S[~good_S]
    below, upto = np.searchsorted(good, bad, "left"), np.searchsorted(good, bad, "right")
    return float(1 - (below + upto).mean() / 2 / len(good))
