"""What Adam makes of gradients, and projections of them."""

from pathlib import Path

import numpy as np

from evolvent.training.curation.gradients import Moments, Sketch, by_skill, moments, unit
from evolvent.training.curation.learner import Learner, Reach

from ..students import make_student
from .plain import Plain
from .pools import make_pool, shuffled


def test_adams_direction_after_a_sample_is_torchs() -> None:
    import torch

    torch.manual_seed(0)
    remembered, gradients_SP = Moments(torch.randn(20), torch.rand(20)), torch.randn(3, 20)
    for gradient_P, step_P in zip(gradients_SP, remembered.update(gradients_SP), strict=True):
        weight = torch.zeros(20, requires_grad=True)
        optimizer = torch.optim.Adam([weight], lr=1.0, eps=1e-8)
        late = torch.tensor(1e6)
        optimizer.state[weight] = {
            "step": late, "exp_avg": remembered.mean_P.clone(), "exp_avg_sq": remembered.square_P.clone()
        }  # fmt: skip
        weight.grad = gradient_P
        optimizer.step()
        np.testing.assert_allclose(-weight.detach(), step_P, rtol=1e-4, atol=1e-6)


def test_moments_are_the_mean_of_batches_and_of_their_squares(tmp_path: Path) -> None:
    import torch

    folder, pool = make_student(tmp_path), make_pool(3)
    learner, plain = Learner.open(folder, Reach(), seed=0), Plain(folder)
    made = moments(learner, learner.start_P, pool, batch=2, batches=4, seed=5)
    rng, order = np.random.default_rng(5), np.argsort(pool.ids)
    own = torch.stack([plain.gradient([pool.rows[i] for i in order[rng.integers(3, size=2)]]) for _ in range(4)])
    np.testing.assert_allclose(made.mean_P, own.mean(0), rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(made.square_P, (own**2).mean(0), rtol=1e-3, atol=1e-7)
    other, _ = shuffled(pool)
    again = moments(learner, learner.start_P, other, batch=2, batches=4, seed=5)
    np.testing.assert_allclose(again.mean_P, made.mean_P, atol=1e-7)


def test_a_projection_is_the_same_sum_for_every_row_and_keeps_products_on_average() -> None:
    import torch

    torch.manual_seed(0)
    rows_SP = torch.randn(2, 300)
    sketch = Sketch(300, 16, seed=4, device="cpu")
    literal = torch.stack([sketch.project(torch.eye(300)[i : i + 1])[0] * rows_SP[0, i] for i in range(300)]).sum(0)
    np.testing.assert_allclose(sketch.project(rows_SP)[0], literal, atol=1e-4)
    made = [Sketch(300, 16, seed=seed, device="cpu").project(rows_SP) for seed in range(400)]
    products = torch.stack([made_SD[0] @ made_SD[1] for made_SD in made])
    error = float(products.std()) / 400**0.5
    assert abs(float(products.mean() - rows_SP[0] @ rows_SP[1])) < 4 * error


def test_rows_have_length_one_and_nothing_stays_nothing() -> None:
    import torch

    made_SP = unit(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_allclose(made_SP, [[0.6, 0.8], [0, 0]])


def test_skills_are_parted_in_the_order_of_ids() -> None:
    pool = make_pool(9)
    parts = by_skill(pool)
    assert list(parts) == ["skill-0", "skill-1", "skill-2"]
    assert all(part.ids == sorted(part.ids) for part in parts.values())
    assert sorted(row for part in parts.values() for row in part.rows) == sorted(pool.rows)
