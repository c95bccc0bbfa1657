"""Every orderer trains on everything once a pass."""

import numpy as np
import pytest

from evolvent.memory.parts import PartSpec, known, load
from evolvent.training.curation.orderer import Orderer
from evolvent.training.curation.pool import Pool

from .pools import SHAPES, make_pool

PACKAGE = "evolvent.training.curation.orderers"


def make(name: str) -> Orderer:
    return load(PartSpec(name=name), base=Orderer, package=PACKAGE, where="test")


@pytest.mark.parametrize("name", known(PACKAGE))
@pytest.mark.parametrize("pool", SHAPES.values(), ids=SHAPES)
def test_every_sample_is_there_once(name: str, pool: Pool) -> None:
    order = make(name).order(pool, np.arange(len(pool), dtype=np.float64), seed=1)
    assert sorted(order.tolist()) == list(range(len(pool)))


@pytest.mark.parametrize("name", known(PACKAGE))
def test_the_seed_alone_decides(name: str) -> None:
    pool, scores_S = make_pool(30), np.arange(30, dtype=np.float64)
    assert make(name).order(pool, scores_S, seed=4).tolist() == make(name).order(pool, scores_S, seed=4).tolist()
