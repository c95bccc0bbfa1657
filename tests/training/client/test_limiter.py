import asyncio

from evolvent.training.client.limiter import Limiter


async def succeed(limiter: Limiter) -> None:
    """A wave of calls that go well, with more waiting."""
    calls = int(limiter.limit)
    for _ in range(calls):
        await limiter.take()
    for _ in range(calls):
        limiter.busy = int(limiter.limit)
        limiter.grow()
    limiter.busy = 0


def test_slots_double_until_the_first_cut_and_then_grow_by_one() -> None:
    async def waves() -> list[int]:
        limiter = Limiter(first=2, most=100)
        limits: list[int] = []
        for _ in range(3):
            await succeed(limiter)
            limits.append(round(limiter.limit))
        limiter.cut(0)
        for _ in range(2):
            limits.append(round(limiter.limit))
            await succeed(limiter)
        return [*limits, round(limiter.limit)]

    assert asyncio.run(waves()) == [4, 8, 16, 8, 9, 10]


def test_calls_of_one_wave_cut_once_and_never_below_one() -> None:
    limiter = Limiter(first=8, most=8)
    for _ in range(8):
        limiter.cut(0)
    assert limiter.limit == 4
    for ticket in range(1, 9):
        limiter.cut(ticket)
    assert limiter.limit == 1


def test_never_more_are_under_way_than_slots_even_when_waiting_callers_give_up() -> None:
    async def rush() -> tuple[int, int]:
        limiter, most = Limiter(first=3, most=3), 0

        async def call() -> None:
            nonlocal most
            await limiter.take()
            most = max(most, limiter.busy)
            await asyncio.sleep(0)
            limiter.give()

        tasks = [asyncio.create_task(call()) for _ in range(50)]
        await asyncio.sleep(0)
        for task in tasks[3::4]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return most, limiter.busy

    assert asyncio.run(rush()) == (3, 0)


def test_growth_needs_callers_that_use_every_slot() -> None:
    limiter = Limiter(first=4, most=8)
    limiter.busy = 2
    limiter.grow()
    assert limiter.limit == 4


def test_a_pause_holds_callers_that_wait_for_a_slot_already() -> None:
    async def run() -> float:
        limiter, loop = Limiter(first=1, most=1), asyncio.get_running_loop()
        await limiter.take()
        waiting = asyncio.create_task(limiter.take())
        await asyncio.sleep(0)
        since = loop.time()
        limiter.pause(0.05)
        limiter.give()
        await waiting
        return loop.time() - since

    assert asyncio.run(run()) >= 0.05


def test_every_wave_of_refusals_rests_twice_as_long_until_a_call_goes_well() -> None:
    limiter = Limiter(first=8, most=8, rest=0.5, longest=3.0)
    assert [limiter.cut(ticket) for ticket in (0, 0, 1, 2, 3, 4)] == [0.5, 0.0, 1.0, 2.0, 3.0, 3.0]
    limiter.grow()
    assert limiter.cut(5) == 0.5
