import numpy as np
import pytest

from evolvent.memory.embedders.hashing import Hashing
from evolvent.memory.plane import LEAST, Plane

EMBEDDER = Hashing(size=32)
TEXTS = [f"{i * 7919 % 997} + {i * 104729 % 991}" for i in range(40)]


def test_what_is_alike_lies_closer_than_what_is_not() -> None:
    words = [f"the verb of clause {i} agrees" for i in range(20)]
    vectors_SD = EMBEDDER.embed([*TEXTS[:20], *words])
    plane = Plane.through(vectors_SD)
    assert plane is not None
    places = np.array(plane.place(vectors_SD))
    sums, clauses = places[:20], places[20:]
    apart = np.linalg.norm(sums.mean(axis=0) - clauses.mean(axis=0))
    assert apart > 2 * max(sums.std(axis=0).max(), clauses.std(axis=0).max())


def test_the_axes_show_most_of_the_variance_two_can() -> None:
    vectors_SD = EMBEDDER.embed(TEXTS)
    plane = Plane.through(vectors_SD)
    assert plane is not None
    most = np.linalg.eigvalsh(np.cov(vectors_SD.T, bias=True))[-2:].sum()
    assert np.var(plane.place(vectors_SD), axis=0).sum() == pytest.approx(most, rel=1e-2)


def test_a_plane_that_was_stored_puts_everything_where_it_was() -> None:
    plane = Plane.through(EMBEDDER.embed(TEXTS))
    assert plane is not None
    later = EMBEDDER.embed(["17+25 -> 32"])
    assert Plane.of(plane.dump()).place(later) == plane.place(later)


def test_the_order_of_vectors_does_not_turn_the_plane() -> None:
    vectors_SD = EMBEDDER.embed(TEXTS)
    one, other = Plane.through(vectors_SD), Plane.through(vectors_SD[::-1])
    assert one is not None
    assert other is not None
    assert np.allclose(one.axes_2D, other.axes_2D, atol=1e-6)


def test_too_few_vectors_that_differ_give_no_plane() -> None:
    assert Plane.through(EMBEDDER.embed(["the same"] * 99)) is None
    assert Plane.through(EMBEDDER.embed([])) is None
    assert Plane.through(EMBEDDER.embed(TEXTS[:LEAST])) is not None
