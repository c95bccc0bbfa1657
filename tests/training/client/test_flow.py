import asyncio
from collections.abc import AsyncIterator

import pytest

from evolvent.training.client.flow import flow


async def double(item: int) -> int:
    await asyncio.sleep(0)
    return 2 * item


def test_results_come_as_they_finish_and_none_is_lost() -> None:
    async def run() -> list[int]:
        gate = asyncio.Event()

        async def work(item: int) -> int:
            if item == 0:
                await gate.wait()
            if item == 9:
                gate.set()
            return item

        return [result async for result in flow(range(10), work, width=2)]

    results = asyncio.run(run())
    assert sorted(results) == list(range(10))
    assert results.index(0) >= 8


def test_stages_chain_and_a_slow_consumer_holds_the_source_back() -> None:
    drawn = 0

    async def source() -> AsyncIterator[int]:
        nonlocal drawn
        for item in range(1000):
            drawn += 1
            yield item

    async def run() -> int:
        results = flow(flow(source(), double, width=3), double, width=3)
        first = await anext(results)
        for _ in range(100):
            await asyncio.sleep(0)
        await results.aclose()  # type: ignore[attr-defined]
        return first

    assert asyncio.run(run()) % 4 == 0
    assert drawn <= 20


def test_an_error_ends_the_flow_and_lets_work_under_way_finish() -> None:
    finished: list[int] = []

    async def work(item: int) -> int:
        if item == 1:
            raise OSError("broken")
        await asyncio.sleep(0.01)
        finished.append(item)
        return item

    async def run() -> None:
        async for _ in flow(range(100), work, width=3):
            pass

    with pytest.raises(OSError, match="broken"):
        asyncio.run(run())
    assert finished == [0, 2]


def test_nothing_in_gives_nothing_out() -> None:
    async def run() -> list[int]:
        return [r async for r in flow([], double, width=3)]

    assert asyncio.run(run()) == []
