"""Shapley values of clusters, against trainings one after the other."""

from pathlib import Path

import numpy as np
import pytest

from evolvent.memory.embedder import Vectors
from evolvent.training.curation.adam import plan
from evolvent.training.curation.clusters import k_means
from evolvent.training.curation.learner import Learner, Reach
from evolvent.training.curation.pool import Context, Pool, Row
from evolvent.training.curation.proxies import far_apart, nearest
from evolvent.training.curation.removal import removals, shares
from evolvent.training.curation.scorers.shapley import Shapley

from ..students import make_student
from .plain import Plain
from .pools import make_pool, score


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_student(tmp_path_factory.mktemp("student"))


def sums(name: str, count: int, error: int = 0) -> list[Row]:
    return [Row(f"{name}{i:02}", f"{i} + {i} =", str(2 * i + error), name) for i in range(count)]


def topics(texts: "list[str]") -> Vectors:
    """Vectors of texts by how many plus signs they have."""
    return np.eye(4, dtype=np.float32)[[min(3, text.count("+") - 1) for text in texts]]


def make_topics() -> Pool:
    """Four clusters that vectors tell apart, of 5 samples each."""
    rows = [
        Row(f"s{k}{i}", "+".join(str(n) for n in [i] * (k + 2)), str(i * (k + 2))) for k in range(4) for i in range(5)
    ]
    return Pool(tuple(rows), lambda texts: topics(list(texts)))


def test_clusters_get_what_trainings_one_after_the_other_say(student: Path) -> None:
    import torch

    pool, targets = make_topics(), make_pool(5, seed=4)
    context = Context(seed=2, student=student, targets=targets)
    scorer = Shapley(clusters=4, proxies=2, group=1, permutations=2, epochs=2, rows=3, learning_rate=1e-2)
    found = k_means(pool.vectors_SD, 0, seed=2, start_CD=far_apart(pool.vectors_SD, 4, seed=2))
    near = nearest(found, 2)
    steps = plan(Learner.open(student, Reach(), seed=2), pool.take(near), batch=3, steps=6, seed=2)
    present_PQC = removals(4, permutations=2, group=1, seed=2)
    worths_PQ = np.empty(present_PQC.shape[:2])
    for place in np.ndindex(worths_PQ.shape):
        plain = Plain(student)
        optimizer = torch.optim.Adam(plain.weights, lr=1e-2)
        for step in steps:
            seen = [near[i] for batch in step for i in batch.places]
            rows = [pool.rows[i] for i in seen if present_PQC[place][found.of_S[i]]]
            if rows:
                plain.gradient(rows)
                optimizer.step()
        worths_PQ[place] = -float(plain.mean_loss(targets.rows).detach())
    wanted_S = shares(present_PQC, worths_PQ)[found.of_S]
    made_S = score(scorer, pool, context)
    np.testing.assert_allclose(made_S, wanted_S, atol=2e-3)
    assert len(set(made_S.tolist())) == 4


def test_a_cluster_of_wrong_answers_is_worth_less(student: Path) -> None:
    right, wrong = sums("a", 10), [r._replace(question=f"{r.question}+") for r in sums("b", 10, error=47)]
    pool = Pool((*right, *wrong), lambda texts: topics(list(texts)))
    context = Context(seed=1, student=student, targets=Pool(tuple(sums("t", 10))))
    scores_S = score(Shapley(clusters=2, proxies=5, group=1, epochs=20, learning_rate=1e-2), pool, context)
    assert scores_S[:10].min() > scores_S[10:].max()
