"""Confidence and uncertainty over checkpoints, by their definition."""

import math
import statistics
from pathlib import Path

import numpy as np
import pytest

from evolvent.memory.errors import PartError
from evolvent.training.curation.pool import Context, Pool, Row
from evolvent.training.curation.scorers.dynamics import Dynamics, Whole

from ..students import make_student
from .plain import Plain
from .pools import make_pool, score


@pytest.fixture(scope="module")
def students(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    return tuple(make_student(tmp_path_factory.mktemp("student"), seed=seed) for seed in range(3))


def tokens(plain: Plain, row: Row) -> list[float]:
    """Probability of every token of an answer."""
    import torch

    (turn,) = plain.wording.turns([(row.question, row.answer)])
    with torch.no_grad():
        logits_TV = plain.model(input_ids=torch.tensor([turn.prompt + turn.answer])).logits[0]
    likely_TV = logits_TV.softmax(1)[len(turn.prompt) - 1 :]
    return [float(likely_TV[i, token]) for i, token in enumerate(turn.answer)]


@pytest.mark.parametrize("over", ["answer", "least", "mean"])
def test_scores_are_confidence_less_one_where_it_is_low_and_sure(students: tuple[Path, ...], over: Whole) -> None:
    whole = {"answer": math.prod, "least": min, "mean": statistics.fmean}[over]
    pool, readers = make_pool(20), [Plain(folder) for folder in students]
    wanted: list[float] = []
    for row in pool.rows:
        ps = [whole(tokens(plain, row)) for plain in readers]
        confidence, aleatoric = sum(ps) / 3, sum(p * (1 - p) for p in ps) / 3
        wanted.append(confidence - (confidence <= 0.01 and aleatoric <= 0.005))
    scorer = Dynamics(over=over, unlikely=0.01, certain=0.005)
    context = Context(student=students[0], checkpoints=students)
    np.testing.assert_allclose(score(scorer, pool, context), wanted, rtol=1e-3, atol=1e-6)


def test_without_a_threshold_three_quarters_of_the_range_is_one() -> None:
    likely_ES = np.random.default_rng(0).beta(0.4, 0.8, size=(4, 200))
    scores_S = Dynamics(unlikely=0.4).judge(likely_ES)
    uncertain = [sum(p * (1 - p) for p in ps) / 4 for ps in likely_ES.T]
    sure = 0.75 * (max(uncertain) - min(uncertain))
    wanted = [
        sum(ps) / 4 - (sum(ps) / 4 <= 0.4 and doubt <= sure) for ps, doubt in zip(likely_ES.T, uncertain, strict=True)
    ]
    np.testing.assert_allclose(scores_S, wanted)
    assert 0 < (scores_S < 0).sum() < (likely_ES.mean(0) <= 0.4).sum()


def test_a_replay_on_verified_answers_contradicts_wrong_ones(students: tuple[Path, ...]) -> None:
    right = [Row(f"k{i:02}", f"{i} + {i}", str(2 * i)) for i in range(12)]
    wrong = [Row(f"w{i:02}", f"{i} + {i}", str(2 * i + 1)) for i in range(12)]
    context = Context(seed=1, student=students[0], known=Pool(tuple(right)))
    scores_S = score(Dynamics(steps=60, looks=6, learning_rate=1e-2, unlikely=0.2), Pool((*right, *wrong)), context)
    assert scores_S[:12].min() > scores_S[12:].max()
    assert (scores_S[12:] < 0).all()


def test_a_replay_looks_evenly_and_at_the_end(students: tuple[Path, ...]) -> None:
    pool, context = make_pool(4), Context(student=students[0], targets=make_pool(8, seed=5))
    few_S, many_S = (score(Dynamics(steps=8, looks=looks), pool, context) for looks in (2, 8))
    assert not np.allclose(few_S, many_S)
    assert np.array_equal(few_S, score(Dynamics(steps=8, looks=2), pool, context))


def test_without_checkpoints_or_anything_verified_it_says_what_it_needs(students: tuple[Path, ...]) -> None:
    with pytest.raises(PartError, match="scorer 'dynamics' watches two or more checkpoints, or trains"):
        score(Dynamics(), make_pool(4), Context(student=students[0]))
    with pytest.raises(PartError, match="scorer 'dynamics' needs a student"):
        score(Dynamics(), make_pool(4), Context(checkpoints=students))
