import asyncio
import contextlib
from typing import Any

import pytest

from evolvent.training.client.deadline import Deadline

SHORT = 0.02
"""Seconds; nothing here takes them except what never ends."""


def test_work_that_never_ends_is_ended() -> None:
    async def run() -> None:
        with pytest.raises(TimeoutError), Deadline(SHORT).turn():
            await asyncio.Event().wait()

    asyncio.run(run())


def test_each_work_has_the_whole_time_counted_from_its_own_begin() -> None:
    async def timed(deadline: Deadline, wait: float) -> float:
        await asyncio.sleep(wait)
        loop = asyncio.get_running_loop()
        since = loop.time()
        with pytest.raises(TimeoutError), deadline.turn():
            await asyncio.Event().wait()
        return loop.time() - since

    async def run() -> list[float]:
        deadline = Deadline(SHORT)
        return await asyncio.gather(*(timed(deadline, i * SHORT / 4) for i in range(12)))

    assert all(seconds >= 0.99 * SHORT for seconds in asyncio.run(run()))


def test_work_that_ends_in_time_is_left_alone_and_hides_nobody_else() -> None:
    async def run() -> str:
        deadline = Deadline(SHORT)
        with deadline.turn():
            await asyncio.sleep(0)
        await asyncio.sleep(2 * SHORT)
        with pytest.raises(TimeoutError), deadline.turn():
            await asyncio.Event().wait()
        with pytest.raises(KeyError, match="its own"), deadline.turn():
            raise KeyError("its own")
        await asyncio.sleep(2 * SHORT)
        return "unharmed"

    assert asyncio.run(run()) == "unharmed"


def test_who_is_cancelled_from_outside_stays_cancelled() -> None:
    async def work(deadline: Deadline) -> None:
        with deadline.turn():
            await asyncio.Event().wait()

    async def run() -> bool:
        task = asyncio.create_task(work(Deadline(60)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(run())


def test_who_is_cancelled_as_its_time_runs_out_stays_cancelled() -> None:
    async def work(deadline: Deadline) -> None:
        task = asyncio.current_task()
        assert task is not None
        with deadline.turn() as turn:
            turn.expire()
            task.cancel()
            await asyncio.Event().wait()

    async def run() -> bool:
        task = asyncio.create_task(work(Deadline(60)))
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(run())


class Counting(asyncio.SelectorEventLoop):
    """Counts the timers that are set."""

    timers = 0

    def call_at(self, *args: Any, **rest: Any) -> asyncio.TimerHandle:
        self.timers += 1
        return super().call_at(*args, **rest)


def test_however_much_is_under_way_there_is_one_timer() -> None:
    async def run() -> None:
        deadline = Deadline(60)
        with contextlib.ExitStack() as under_way:
            for _ in range(50):
                under_way.enter_context(deadline.turn())
        deadline.close()

    with asyncio.Runner(loop_factory=Counting) as runner:
        runner.run(run())
        loop = runner.get_loop()
        assert isinstance(loop, Counting)
        assert loop.timers == 1
