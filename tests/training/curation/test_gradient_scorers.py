"""Scorers by gradients give what their definition gives, one sample at a time."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest

from evolvent.training.curation.extrapolation import draw, rank_correlation
from evolvent.training.curation.gradients import Moments
from evolvent.training.curation.learner import Reach
from evolvent.training.curation.pool import Context, Pool, Row
from evolvent.training.curation.scorer import Scorer
from evolvent.training.curation.scorers.delt import Delt
from evolvent.training.curation.scorers.influence import Influence
from evolvent.training.curation.scorers.one_step import OneStep
from evolvent.training.lora import Lora

from ..students import make_student
from .plain import Plain, by_id
from .pools import make_pool, score

if TYPE_CHECKING:
    from torch import Tensor

ADAPTER = Reach(whole=0, lora=Lora(rank=8))


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Context:
    students = [make_student(tmp_path_factory.mktemp("student"), seed=seed) for seed in (0, 1)]
    return Context(
        seed=3,
        student=students[1],
        checkpoints=tuple(students),
        targets=make_pool(7, seed=9, skills=2),
        known=make_pool(10, seed=8),
    )


def remember(plain: Plain, pool: Pool, *, batch: int, batches: int, seed: int) -> Moments:
    """Adam's memory from batches drawn with the seed."""
    import torch

    rows, rng = by_id(pool), np.random.default_rng(seed)
    own = [plain.gradient([rows[i] for i in rng.integers(len(rows), size=batch)]) for _ in range(batches)]
    return Moments(torch.stack(own).mean(0), (torch.stack(own) ** 2).mean(0))


def adam_step(memory: Moments, gradient_P: "Tensor") -> "Tensor":
    mean_P = 0.9 * memory.mean_P + 0.1 * gradient_P
    return mean_P / ((0.999 * memory.square_P + 0.001 * gradient_P**2).sqrt() + 1e-8)


def cosine(a_P: "Tensor", b_P: "Tensor") -> float:
    return float(a_P @ b_P / (a_P.norm() * b_P.norm()))


@pytest.mark.parametrize("preconditioned", [True, False])
def test_influence_is_the_sum_over_checkpoints_of_the_best_skills_mean_cosine(
    context: Context, preconditioned: bool
) -> None:
    assert context.targets is not None
    assert context.known is not None
    pool = make_pool(9)
    skills = sorted(set(context.targets.skills))
    wanted_SK = np.zeros((9, len(skills)))
    for folder in context.checkpoints:
        plain = Plain(folder)
        memory = remember(plain, context.known, batch=4, batches=3, seed=3)
        goals = {s: [plain.gradient([r]) for r in context.targets.rows if r.skill == s] for s in skills}
        for i, row in enumerate(pool.rows):
            step_P = plain.gradient([row])
            step_P = adam_step(memory, step_P) if preconditioned else step_P
            wanted_SK[i] += [np.mean([cosine(step_P, goal_P) for goal_P in goals[s]]) for s in skills]
    scorer = Influence(batch=4, memory=3, preconditioned=preconditioned)
    np.testing.assert_allclose(score(scorer, pool, context), wanted_SK.max(1), rtol=1e-3, atol=1e-5)


def test_of_many_checkpoints_the_last_count(context: Context) -> None:
    last = dataclasses.replace(context, checkpoints=context.checkpoints[-1:])
    pool, scorer = make_pool(5), Influence(preconditioned=False, latest=1)
    np.testing.assert_allclose(score(scorer, pool, context), score(Influence(preconditioned=False), pool, last))


def test_projected_gradients_rank_samples_like_whole_ones(context: Context) -> None:
    pool = make_pool(60)
    whole_S, short_S = (score(Influence(dimensions=d, preconditioned=False), pool, context) for d in (0, 2048))
    assert rank_correlation(whole_S, short_S) > 0.9
    assert not np.array_equal(whole_S, short_S)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_one_step_is_what_a_step_of_training_does_to_the_targets_loss(context: Context, optimizer: str) -> None:
    assert context.student is not None
    assert context.targets is not None
    pool = make_pool(6)
    targets = [context.targets.rows[i] for i in draw(context.targets, 5, seed=3)]
    memory = remember(Plain(context.student), pool, batch=4, batches=3, seed=3)
    wanted: list[float] = []
    for row in pool.rows:
        plain = Plain(context.student)
        before = float(plain.mean_loss(targets).detach())
        gradient_P = plain.gradient([row])
        plain.move(0.02 * (adam_step(memory, gradient_P) if optimizer == "adam" else gradient_P))
        wanted.append(before - float(plain.mean_loss(targets).detach()))
    scorer = OneStep.model_validate(
        {"optimizer": optimizer, "learning_rate": 0.02, "references": 5, "batch": 4, "memory": 3}
    )
    bare = Context(seed=3, student=context.student, targets=context.targets)
    np.testing.assert_allclose(score(scorer, pool, bare), wanted, rtol=1e-3, atol=1e-5)


def test_the_first_order_is_what_a_short_step_does(context: Context) -> None:
    pool = make_pool(12)
    taken_S, expected_S = (
        score(OneStep(exact=exact, optimizer="sgd", learning_rate=1e-3), pool, context) for exact in (True, False)
    )
    np.testing.assert_allclose(taken_S, expected_S, rtol=0.05, atol=1e-5)


@pytest.mark.parametrize(
    "scorer", [OneStep(), OneStep(exact=False), Influence(memory=4), Delt(steps=6, stride=3)], ids=lambda s: s.name
)
def test_training_on_a_target_helps_more_than_training_on_its_wrong_answer(context: Context, scorer: Scorer) -> None:
    assert context.targets is not None
    right = [Row(f"r{i}", row.question, row.answer) for i, row in enumerate(context.targets.rows)]
    wrong = [Row(f"w{i}", row.question, "no idea" * 2) for i, row in enumerate(context.targets.rows)]
    pool = Pool((*right, *wrong))
    scores_S = score(scorer, pool, context)
    assert scores_S[: len(right)].mean() > scores_S[len(right) :].mean()


def test_the_learnability_quality_score_is_that_of_the_recursion(context: Context) -> None:
    assert context.student is not None
    assert context.targets is not None
    pool = make_pool(8)
    rate, targets, rows = 0.05, context.targets.rows, by_id(pool)
    rng = np.random.default_rng(3)
    seen = [[rows[i] for i in rng.choice(8, 3, replace=False)] for _ in range(5)]
    students = [Plain(context.student) for _ in range(6)]
    for t, step in enumerate(seen):
        taken = rate * students[t].gradient(step)
        for later in students[t + 1 :]:
            later.move(taken)
    dual_P, duals = students[5].gradient(targets), dict[int, "Tensor"]()
    for t in reversed(range(5)):
        duals[t] = dual_P
        bent_P = _bent(students[t], seen[t], dual_P)
        dual_P = dual_P + students[t].gradient(targets) - rate * bent_P
    wanted = np.zeros(8)
    visits = (0, 2, 4)
    lift = 0.1 * float(np.median([float(students[0].gradient([row]).norm()) for row in pool.rows]))
    for i, row in enumerate(pool.rows):
        gradients = {t: students[t].gradient([row]) for t in visits}
        for t in visits:
            before = max(t - 2, 0)
            ratio = (float(gradients[t].norm()) + lift) / (float(gradients[before].norm()) + lift)
            wanted[i] += rate * float(duals[t].norm()) * ratio * cosine(gradients[t], duals[t])
    scorer = Delt(steps=5, stride=2, rows=3, learning_rate=rate, floor=0.1)
    np.testing.assert_allclose(score(scorer, pool, context), wanted, rtol=2e-3, atol=1e-5)


def _bent(plain: Plain, rows: list[Row], direction_P: "Tensor") -> "Tensor":
    """Hessian of the mean loss times a direction, by differentiating twice."""
    import torch

    # fused attention cannot be differentiated twice
    plain.model.set_attn_implementation("eager")
    slopes = torch.autograd.grad(plain.mean_loss(rows), plain.weights, create_graph=True)
    along = torch.cat([s.reshape(-1) for s in slopes]) @ direction_P
    return torch.cat([g.reshape(-1) for g in torch.autograd.grad(along, plain.weights)])


@pytest.mark.parametrize(
    "scorer",
    [
        OneStep(reach=ADAPTER, memory=2),
        OneStep(reach=ADAPTER, memory=2, exact=False),
        Influence(reach=ADAPTER, memory=2),
        Delt(reach=ADAPTER, steps=3, stride=1),
    ],
    ids=lambda s: s.name,
)
def test_a_larger_student_is_scored_through_an_adapter(context: Context, scorer: Scorer) -> None:
    scores_S = score(scorer, make_pool(10), context)
    assert np.isfinite(scores_S).all()
    assert np.ptp(scores_S) > 0


def test_of_a_large_pool_a_part_is_measured(context: Context) -> None:
    pool = make_pool(40)
    scorer = Influence(most=30, memory=2, preconditioned=False)
    some_S, all_S = score(scorer, pool, context), score(Influence(preconditioned=False), pool, context)
    measured = draw(pool, 30, seed=3)
    np.testing.assert_allclose(some_S[measured], all_S[measured], rtol=1e-4, atol=1e-6)
    assert not np.allclose(some_S, all_S)
