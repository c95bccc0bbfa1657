import gc

from evolvent.training.client.garbage import RARE, Garbage


def test_garbage_is_looked_for_rarely_until_the_last_one_leaves() -> None:
    usual, garbage = gc.get_threshold(), Garbage()
    with garbage.rarely():
        first = garbage.rarely()
        first.__enter__()
        assert gc.get_threshold() == (RARE, *usual[1:])
    assert gc.get_threshold() == (RARE, *usual[1:])
    first.__exit__(None, None, None)
    assert gc.get_threshold() == usual


def test_a_collector_that_is_off_stays_off() -> None:
    usual = gc.get_threshold()
    gc.set_threshold(0)
    try:
        with Garbage().rarely():
            assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*usual)
