from evolvent.training.client.limiter import Limiter


def succeed(limiter: Limiter) -> None:
    """A wave of calls that go well, with more waiting."""
    calls = int(limiter.limit)
    for _ in range(calls):
        limiter.take()
    for _ in range(calls):
        limiter.busy = int(limiter.limit)
        limiter.grow()
    limiter.busy = 0


def test_slots_double_until_the_first_cut_and_then_grow_by_one() -> None:
    limiter = Limiter(first=2, most=100)
    limits: list[int] = []
    for _ in range(3):
        succeed(limiter)
        limits.append(round(limiter.limit))
    limiter.cut(0)
    for _ in range(2):
        limits.append(round(limiter.limit))
        succeed(limiter)
    assert [*limits, round(limiter.limit)] == [4, 8, 16, 8, 9, 10]


def test_calls_of_one_wave_cut_once_and_never_below_one() -> None:
    limiter = Limiter(first=8, most=8)
    for _ in range(8):
        limiter.cut(0)
    assert limiter.limit == 4
    for ticket in range(1, 9):
        limiter.cut(ticket)
    assert limiter.limit == 1


def test_growth_needs_callers_that_use_every_slot() -> None:
    limiter = Limiter(first=4, most=8)
    limiter.busy = 2
    limiter.grow()
    assert limiter.limit == 4


def test_a_longer_pause_stays_when_a_shorter_one_is_asked_for() -> None:
    limiter = Limiter(first=1, most=1)
    limiter.pause(10.0)
    limiter.pause(7.0)
    assert (limiter.wait(4.0), limiter.wait(11.0)) == (6.0, 0.0)


def test_every_wave_of_refusals_rests_twice_as_long_until_a_call_goes_well() -> None:
    limiter = Limiter(first=8, most=8, rest=0.5, longest=3.0)
    assert [limiter.cut(ticket) for ticket in (0, 0, 1, 2, 3, 4)] == [0.5, 0.0, 1.0, 2.0, 3.0, 3.0]
    limiter.grow()
    assert limiter.cut(5) == 0.5
