"""Every enhancer says of every sample what becomes of it."""

import asyncio

import pytest

from evolvent.memory.parts import PartSpec, known, load
from evolvent.training.curation.enhancer import Enhancer
from evolvent.training.curation.pool import Context, Pool

from .pools import SHAPES, make_pool

PACKAGE = "evolvent.training.curation.enhancers"


@pytest.mark.parametrize("name", known(PACKAGE))
@pytest.mark.parametrize("pool", SHAPES.values(), ids=SHAPES)
def test_every_sample_has_its_change(name: str, pool: Pool) -> None:
    enhancer = load(PartSpec(name=name), base=Enhancer, package=PACKAGE, where="test")
    context = Context(seed=3, targets=make_pool(8, seed=9))
    if not context.lacks(pool, enhancer.needs):
        assert len(asyncio.run(enhancer.enhance(pool, context))) == len(pool)
