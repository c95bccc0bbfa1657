"""A generator writes a small set whose gradients go where those of a large one go."""

from pathlib import Path
from typing import Any

import pytest

from evolvent.training import checkpoint
from evolvent.training.curation.condensing import Condensing, last_gradients
from evolvent.training.curation.pool import Pool, Row

from .. import students


def make_pool(count: int = 60) -> Pool:
    return Pool(tuple(Row(f"s{n:03}", str(n), str((n + 1) % 10), "next") for n in range(100, 100 + count)))


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return students.prepare(tmp_path_factory.mktemp("learner"), students.make_tasks(4))


@pytest.mark.slow
def test_the_gradient_of_the_last_layer_is_that_of_autograd(learner: Path) -> None:
    import torch

    loaded: tuple[Any, Any] = checkpoint.load(learner)
    model = loaded[0].eval()
    ids = torch.randint(5, 90, (3, 7))
    labels = ids.clone()
    labels[:, :4] = -100
    labels[2, 6] = -100
    gradients = last_gradients(model, ids, labels)
    for row in range(3):
        model.zero_grad()
        model(input_ids=ids[row : row + 1], labels=labels[row : row + 1]).loss.backward()
        assert torch.allclose(gradients[row], model.lm_head.weight.grad.flatten(), atol=1e-6)


@pytest.mark.slow
def test_what_is_written_is_distinct_samples_of_the_kind_and_the_seed_decides(learner: Path) -> None:
    plan = Condensing(writing=150, matching=4, batch=32)
    made = [plan.condense(make_pool(), 12, learners=[learner], seed=seed) for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]
    told = [(str(row.question), row.answer) for row in made[0].rows]
    assert len(set(told)) == len(told) == 12
    assert sum(question.isdigit() and answer.isdigit() for question, answer in told) >= 9


@pytest.mark.slow
def test_matching_brings_the_gradients_together(learner: Path) -> None:
    # a set with one answer, and a generator that has only begun to learn it
    pool = Pool(tuple(Row(f"s{n}", str(n), "7") for n in range(100, 160)))
    made = Condensing(writing=40, matching=60, batch=64, push=1e-3).condense(pool, 4, learners=[learner], seed=0)
    assert made.after > made.before
