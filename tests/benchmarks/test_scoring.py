"""What experiments with scorers share."""

from random import Random

import numpy as np
import pytest

from evolvent.benchmarks.bench.pupil import Pupil
from evolvent.benchmarks.bench.scoring import area, practise
from evolvent.benchmarks.bench.tasks import draw


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    rng = np.random.default_rng(0)
    scores_S, good_S = rng.integers(0, 5, size=40).astype(np.float64), rng.random(40) < 0.4
    pairs = [(g > b) + 0.5 * (g == b) for g in scores_S[good_S] for b in scores_S[~good_S]]
    assert area(scores_S, good_S) == pytest.approx(np.mean(pairs))
    assert area(good_S.astype(np.float64), good_S) == 1


@pytest.mark.parametrize("steps", [1, 3, 7])
def test_practice_takes_the_steps_it_is_given_however_few_items_there_are(steps: int) -> None:
    pupil = practise(Pupil(0), draw("copy-3", 70, Random(0)), steps=steps, rng=Random(1))
    assert pupil.steps == steps
