"""Every scorer gives finite numbers that go with the sample, not with its place."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from evolvent.memory.parts import PartSpec, known, load
from evolvent.training.curation.pool import Context, Pool
from evolvent.training.curation.scorer import Scorer
from evolvent.training.engines.transformers import Transformers

from ..brought import make_model
from ..students import make_student
from .pools import SHAPES, make_pool, score, shuffled

PACKAGE = "evolvent.training.curation.scorers"
QUICK: Mapping[str, Mapping[str, Any]] = {
    "delt": {"steps": 4, "stride": 2},
    "dynamics": {"steps": 4, "looks": 2},
    "influence": {"memory": 2},
    "one_step": {"memory": 2, "references": 4},
    "shapley": {"clusters": 4, "proxies": 2, "group": 2, "permutations": 2, "epochs": 1},
}
"""Settings under which costly parts take little time; as they are by default, they are tested as slow."""
every_scorer = pytest.mark.parametrize("name", known(PACKAGE))
every_shape = pytest.mark.parametrize("pool", SHAPES.values(), ids=SHAPES)


def make(name: str, settings: Mapping[str, Any] | None = None) -> Scorer:
    chosen = QUICK.get(name, {}) if settings is None else settings
    return load(PartSpec(name=name, settings=chosen), base=Scorer, package=PACKAGE, where="test")


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Context:
    """What scorers may need; parts that need more add it here."""
    students = [make_student(tmp_path_factory.mktemp("student"), seed=seed) for seed in (0, 1)]
    reads_much = make_model(tmp_path_factory.mktemp("scorer"), positions=1024)
    scorer = Transformers(device="cpu", model=str(reads_much)).serve("scorer")
    return Context(
        seed=3, student=students[1], checkpoints=tuple(students), targets=make_pool(8, seed=9), scorer=scorer
    )


@every_scorer
@every_shape
def test_scores_are_finite_on_any_pool(name: str, pool: Pool, context: Context) -> None:
    scores_S = score(make(name), pool, context)
    assert scores_S.shape == (len(pool),)
    assert scores_S.dtype == np.float64
    assert np.isfinite(scores_S).all()


@every_scorer
def test_a_score_goes_with_the_sample_whatever_its_place(name: str, context: Context) -> None:
    pool = make_pool(40)
    other, order = shuffled(pool)
    np.testing.assert_allclose(
        score(make(name), other, context), score(make(name), pool, context)[order], rtol=1e-4, atol=1e-6
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(QUICK))
def test_a_costly_scorer_holds_with_its_default_settings(name: str, context: Context) -> None:
    scores_S = score(make(name, {}), make_pool(40), context)
    assert np.isfinite(scores_S).all()
    assert np.ptp(scores_S) > 0
