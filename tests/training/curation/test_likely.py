"""Scores by a model's own forward passes, against the definition worked out sample by sample."""

from pathlib import Path

import numpy as np
import pytest

from evolvent.memory.errors import UnavailableError
from evolvent.training.curation.likelihood import Reader
from evolvent.training.curation.pool import Context, Pool, Row
from evolvent.training.curation.scorers.ifd import Ifd
from evolvent.training.curation.scorers.perplexity import Perplexity

from ..brought import make_model
from ..students import make_adapter, make_tasks, train
from .pools import make_pool, score
from .test_likelihood import one_by_one


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("student")
    train(folder, steps=40)
    return folder / "model"


def losses(folder: Path, pairs: list[tuple[str, str]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    turns = Reader.open(folder, device="cpu").turns(pairs)
    return np.array([-logs.mean() for logs in one_by_one(folder, turns)])


@pytest.mark.slow
def test_difficulty_is_the_ratio_of_perplexities_and_misfits_come_last(student: Path) -> None:
    pool = make_pool(60)
    asked = losses(student, [(str(r.question), r.answer) for r in pool.rows])
    alone = losses(student, [("", r.answer) for r in pool.rows])
    ratio_S = np.exp(asked) / np.exp(alone)
    assert (ratio_S > 1).any()
    assert (ratio_S < 1).any()
    scores_S = score(Ifd(), pool, Context(student=student))
    np.testing.assert_allclose(scores_S, np.where(ratio_S > 1, -ratio_S, ratio_S), rtol=1e-4)
    assert scores_S[ratio_S > 1].max() < scores_S[ratio_S <= 1].min()


@pytest.mark.slow
def test_perplexity_is_of_the_answer_or_of_the_whole_and_of_the_wanted_sign(student: Path) -> None:
    pool, context = make_pool(60), Context(student=student)
    loss_S = losses(student, [(str(r.question), r.answer) for r in pool.rows])
    np.testing.assert_allclose(score(Perplexity(), pool, context), -loss_S, rtol=1e-4)
    np.testing.assert_allclose(score(Perplexity(prefer="high"), pool, context), loss_S, rtol=1e-4)
    middle_S = score(Perplexity(prefer="middle"), pool, context)
    assert abs(loss_S[middle_S.argmax()] - np.median(loss_S)) <= abs(loss_S[middle_S.argmin()] - np.median(loss_S))
    assert np.corrcoef(score(Perplexity(whole=True), pool, context), -loss_S)[0, 1] < 0.999


@pytest.mark.slow
def test_a_right_answer_is_less_perplexing_than_another_one_to_who_learned_it(student: Path) -> None:
    tasks = make_tasks(96)
    rows = [Row(f"r{i}", t.prompt, t.answer) for i, t in enumerate(tasks)]
    others = [*tasks[7:], *tasks[:7]]
    swapped = [Row(f"w{i}", t.prompt, o.answer) for i, (t, o) in enumerate(zip(tasks, others, strict=True))]
    scores_S = score(Perplexity(), Pool((*rows, *swapped)), Context(student=student))
    assert scores_S[: len(rows)].mean() > scores_S[len(rows) :].mean() + 0.1


@pytest.mark.slow
def test_an_adapter_reads_with_the_weights_it_lies_on(student: Path, tmp_path: Path) -> None:
    adapter, merged = make_adapter(student, tmp_path, 1)
    pool = make_pool(12)
    one_S, other_S = (score(Ifd(), pool, Context(student=folder)) for folder in (adapter, merged))
    np.testing.assert_allclose(one_S, other_S, rtol=1e-3)


def test_a_smaller_model_reads_in_the_students_place(tmp_path: Path) -> None:
    small, pool = make_model(tmp_path / "small", template=None), make_pool(10)
    assert Ifd().needs == {"student"}
    assert Ifd(model=str(small)).needs == frozenset()
    np.testing.assert_array_equal(score(Ifd(model=str(small)), pool), score(Ifd(), pool, Context(student=small)))


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"^model '.*none': no such folder; .*commit in revision"):
        score(Perplexity(model=str(tmp_path / "none")), make_pool(2))
