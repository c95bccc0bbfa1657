"""What experiments on data of students stand on."""

from random import Random

import numpy as np
import pytest

from evolvent.benchmarks.bench.pupil import Pupil
from evolvent.benchmarks.bench.tasks import Item, draw, right
from evolvent.benchmarks.lab import folding
from evolvent.benchmarks.lab.accumulate import answered


@pytest.mark.slow
def test_what_a_student_draws_is_its_own_of_the_right_length_and_chance_decides() -> None:
    pupil = Pupil(100)
    items = [*draw("copy-2", 20, Random(0)), *draw("sort-3", 20, Random(0))]
    said, again, other = (answered(pupil, items, seed=seed) for seed in (1, 1, 2))
    assert said == again != other
    assert [(a.skill, a.prompt, len(a.answer)) for a in said] == [(i.skill, i.prompt, len(i.answer)) for i in items]
    assert not any(right(item) for item in said)
    pupil.learn([item for _ in range(120) for item in draw("copy-2", 32, Random(3))])
    taught = answered(pupil, draw("copy-2", 40, Random(3)), seed=1)
    assert sum(map(right, taught)) > 30


@pytest.mark.slow
def test_a_rank_within_a_skill_does_not_tell_skills_apart() -> None:
    items: list[Item] = [*draw("copy-6", 30, Random(1)), *draw("sort-6", 20, Random(1))]
    ranks_S = folding.rank(0, items)
    losses_S = folding.hardness(0, items)
    for own in (slice(0, 30), slice(30, 50)):
        assert (np.argsort(ranks_S[own]) == np.argsort(losses_S[own], kind="stable")).all()
        assert ranks_S[own].max() < 1
        assert ranks_S[own].min() == 0
