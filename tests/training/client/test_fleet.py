import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from evolvent.training.client.breaker import Breaker
from evolvent.training.client.fault import Fault
from evolvent.training.client.fleet import Endpoint, Fleet
from evolvent.training.client.key import Key
from evolvent.training.client.limiter import Limiter
from evolvent.training.client.transport import Transport


@asynccontextmanager
async def made(*slots: int, breaker: Breaker | None = None) -> AsyncGenerator[Fleet]:
    """Endpoints with so many slots each; nobody is asked."""
    fleet = Fleet(
        [
            Endpoint(
                Transport(f"http://127.0.0.1:{9 + i}/v1", key=Key(), most=most, deadline=1),
                Limiter(first=most, most=most),
                breaker or Breaker(),
            )
            for i, most in enumerate(slots)
        ]
    )
    try:
        yield fleet
    finally:
        await fleet.close()


async def test_never_more_are_under_way_than_slots_even_when_waiting_callers_give_up() -> None:
    async with made(2, 1) as fleet:
        most = 0

        async def call() -> None:
            nonlocal most
            lease = await fleet.take()
            most = max(most, sum(e.limiter.busy for e in fleet.endpoints))
            await asyncio.sleep(0)
            fleet.give(lease)

        tasks = [asyncio.create_task(call()) for _ in range(50)]
        await asyncio.sleep(0)
        for task in tasks[3::4]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (most, sum(e.limiter.busy for e in fleet.endpoints)) == (3, 0)


async def test_a_call_goes_where_the_most_room_is() -> None:
    async with made(1, 3) as fleet:
        took = [(await fleet.take()).endpoint for _ in range(4)]
        assert [fleet.endpoints.index(endpoint) for endpoint in took] == [0, 1, 1, 1]


async def test_a_pause_holds_callers_that_wait_for_a_slot_already() -> None:
    async with made(1) as fleet:
        loop, lease = asyncio.get_running_loop(), await fleet.take()
        waiting = asyncio.create_task(fleet.take())
        await asyncio.sleep(0)
        since = loop.time()
        lease.endpoint.limiter.pause(since + 0.05)
        fleet.give(lease)
        await waiting
        assert loop.time() - since >= 0.05


async def test_an_endpoint_that_is_left_alone_leaves_its_calls_to_the_others() -> None:
    async with made(4, 4) as fleet:
        broken = fleet.endpoints[0]
        for _ in range(broken.breaker.failures):
            broken.breaker.failed(asyncio.get_running_loop().time(), opened=0)
        took = [(await fleet.take()).endpoint for _ in range(4)]
        assert broken not in took


async def test_callers_are_told_when_every_endpoint_is_gone() -> None:
    breaker = Breaker(failures=1, openings=1)
    async with made(1, breaker=breaker) as fleet:
        lease = await fleet.take()
        waiting = asyncio.create_task(fleet.take())
        await asyncio.sleep(0)
        breaker.failed(asyncio.get_running_loop().time(), opened=0)
        fleet.give(lease)
        with pytest.raises(Fault, match="did not come back") as told:
            await waiting
        assert told.value.remedy == "stop"
