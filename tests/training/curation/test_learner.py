"""A student as a function of its weights gives what the plain student gives."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from evolvent.memory.errors import PartError
from evolvent.training.curation.adam import Adam, plan
from evolvent.training.curation.learner import Learner, Reach
from evolvent.training.curation.pool import Pool, Row
from evolvent.training.lora import Lora

from ..students import make_adapter, make_student
from .plain import Plain
from .pools import make_pool

if TYPE_CHECKING:
    from torch import Tensor

SMALL_ADAPTER = Reach(whole=0, lora=Lora(rank=8))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_student(tmp_path_factory.mktemp("student"))


def gradients(learner: Learner, pool: Pool, rows: int = 5) -> "Tensor":
    import torch

    made_SP = torch.empty(len(pool), len(learner.start_P))
    for batch in learner.batches(pool, rows):
        made_SP[batch.places] = learner.gradients(learner.start_P, batch)
    return made_SP


def test_losses_are_those_of_each_sample_alone(folder: Path) -> None:
    learner, plain, pool = Learner.open(folder, Reach(), seed=0), Plain(folder), make_pool(17)
    for batch in learner.batches(pool, 5):
        alone = [float(plain.loss(pool.rows[place]).detach()) for place in batch.places]
        np.testing.assert_allclose(learner.losses(learner.start_P, batch), alone, rtol=1e-5)


def test_gradients_of_many_samples_are_those_that_backward_gives_one_by_one(folder: Path) -> None:
    plain, pool = Plain(folder), make_pool(17)
    made_SP = gradients(Learner.open(folder, Reach(), seed=0), pool)
    for row, gradient_P in zip(pool.rows, made_SP, strict=True):
        np.testing.assert_allclose(gradient_P, plain.gradient([row]), rtol=1e-3, atol=1e-6)


def test_curvature_along_a_direction_is_how_the_gradient_changes_there(folder: Path) -> None:
    import torch

    learner, pool = Learner.open(folder, Reach(), seed=0), make_pool(6)
    batches, step = learner.batches(pool, 4), 1e-2
    direction_P = torch.nn.functional.normalize(torch.randn(len(learner.start_P)), dim=0)
    ends = [learner.gradient(learner.start_P + sign * step * direction_P, batches) for sign in (1, -1)]
    bent_P = learner.curvature(learner.start_P, batches, direction_P)
    assert float((bent_P - (ends[0] - ends[1]) / (2 * step)).norm() / bent_P.norm()) < 0.02


def test_a_fresh_adapter_differentiates_a_projection_of_the_weights(folder: Path) -> None:
    learner, pool = Learner.open(folder, SMALL_ADAPTER, seed=0), make_pool(4)
    assert len(learner.start_P) < len(Learner.open(folder, Reach(), seed=0).start_P)
    batch = learner.batches(pool, 4)[0]
    whole = Learner.open(folder, Reach(), seed=0)
    np.testing.assert_allclose(learner.losses(learner.start_P, batch), whole.losses(whole.start_P, batch), rtol=1e-5)
    assert (gradients(learner, pool).norm(dim=1) > 0).all()
    again = Learner.open(folder, SMALL_ADAPTER, seed=0)
    np.testing.assert_array_equal(learner.start_P, again.start_P)


def test_the_adapter_of_a_larger_student_is_what_is_differentiated(folder: Path, tmp_path: Path) -> None:
    adapter, merged = make_adapter(folder, tmp_path, seed=1)
    own, full = Learner.open(adapter, SMALL_ADAPTER, seed=0), Learner.open(merged, Reach(), seed=0)
    batch = own.batches(make_pool(4), 4)[0]
    assert len(own.start_P) < len(full.start_P)
    np.testing.assert_allclose(own.losses(own.start_P, batch), full.losses(full.start_P, batch), rtol=1e-4)


def test_weights_can_be_put_into_the_model(folder: Path) -> None:
    learner, plain = Learner.open(folder, Reach(), seed=0), Plain(folder)
    learner.install(learner.start_P * 2)
    for own, given in zip(learner.model.parameters(), plain.model.parameters(), strict=True):
        np.testing.assert_allclose(own.detach(), given.detach() * 2)


def test_a_sample_too_long_for_the_student_is_named(folder: Path) -> None:
    learner = Learner.open(folder, Reach(), seed=0)
    with pytest.raises(PartError, match=r"sample 'long' has .* tokens and the student reads 256; leave longer"):
        learner.batches(Pool((Row("short", "1 + 1", "2"), Row("long", "1 + 1" * 99, "2"))), 4)


def test_trainings_side_by_side_are_those_that_torch_would_do_one_after_the_other(folder: Path) -> None:
    import torch

    learner, pool = Learner.open(folder, Reach(), seed=0), make_pool(9)
    steps = plan(learner, pool, batch=4, steps=5, seed=2)
    present_RS = torch.ones(3, 9)
    present_RS[1, [0, 3, 4]] = 0
    present_RS[2] = 0
    made_RP = Adam(1e-2).train_many(learner, steps, present_RS)
    for present_S, made_P in zip(present_RS, made_RP, strict=True):
        plain = Plain(folder)
        optimizer = torch.optim.Adam(plain.weights, lr=1e-2)
        for step in steps:
            rows = [pool.rows[place] for batch in step for place in batch.places if present_S[place]]
            if rows:
                plain.gradient(rows)
                optimizer.step()
        np.testing.assert_allclose(made_P, torch.cat([p.detach().reshape(-1) for p in plain.weights]), atol=2e-4)
    np.testing.assert_array_equal(made_RP[2], learner.start_P)


def test_a_plan_shows_every_sample_once_a_pass(folder: Path) -> None:
    learner, pool = Learner.open(folder, Reach(), seed=0), make_pool(9)
    steps = plan(learner, pool, batch=4, steps=6, seed=2)
    passes = [[p for step in steps[at : at + 3] for batch in step for p in batch.places] for at in (0, 3)]
    assert [sorted(places) for places in passes] == [list(range(9))] * 2
    assert passes[0] != passes[1]
