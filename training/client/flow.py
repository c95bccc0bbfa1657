"""Work on many items at once and have each result when it is there: no item waits for the slowest of its batch.

Stages chain, since what comes out is an async iterator and so may go in. Every queue is bounded: a stage that is
slower than the one before it holds that one back.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

from ...memory.stopping import STOP, Stopped

A = TypeVar("A")
B = TypeVar("B")

TICK = 0.1
"""Seconds after which a request to stop is heeded, though no item finishes."""
GRACE = 5.0
"""Seconds that work under way has to finish when the flow ends early: its calls may be paid for already."""


class _End(NamedTuple):
    error: BaseException | None


class _Source(Generic[A]):
    """Hands items to many workers, one at a time."""

    def __init__(self, items: Iterable[A] | AsyncIterable[A]) -> None:
        self._many = aiter(items) if isinstance(items, AsyncIterable) else _each(items)
        self._turn = asyncio.Lock()
        self.closed = False

    async def next(self) -> A:
        """Give the next item.

        Raises:
            StopAsyncIteration: there is none, or the flow ends.
        """
        async with self._turn:
            if self.closed:
                raise StopAsyncIteration
            return await anext(self._many)


async def _each(items: Iterable[A]) -> AsyncIterator[A]:
    for item in items:
        yield item


async def flow(
    items: Iterable[A] | AsyncIterable[A], work: Callable[[A], Awaitable[B]], *, width: int
) -> AsyncIterator[B]:
    """Give `work(item)` for each item as it finishes, in no order.

    An exception of `work` ends the flow: no further item begins, and those under way have `GRACE` seconds.

    Args:
        items: read only as fast as they are worked on.
        work: what to do with each.
        width: items under way at most; as many finished ones wait to be taken.

    Raises:
        Stopped: the program was asked to end.
    """
    done: asyncio.Queue[B | _End] = asyncio.Queue(width)
    source = _Source(items)
    workers = [asyncio.create_task(_worker(source, work, done)) for _ in range(width)]
    watch = asyncio.create_task(_watch(done))
    try:
        running = width
        while running:
            result = await done.get()
            if not isinstance(result, _End):
                yield result
                continue
            running -= 1
            if result.error is not None:
                raise result.error
    finally:
        source.closed = True
        watch.cancel()
        while not done.empty():
            done.get_nowait()
        await asyncio.wait(workers, timeout=GRACE)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(watch, *workers, return_exceptions=True)


async def _worker(source: _Source[A], work: Callable[[A], Awaitable[B]], done: "asyncio.Queue[B | _End]") -> None:
    end = _End(None)
    try:
        while True:
            result = await work(await source.next())
            if source.closed:
                return
            await done.put(result)
    except StopAsyncIteration:
        pass
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        end = _End(error)
    if not source.closed:
        await done.put(end)


async def _watch(done: "asyncio.Queue[B | _End]") -> None:
    """Bring a request to stop to whoever waits for results."""
    while not STOP.code:
        await asyncio.sleep(TICK)
    await done.put(_End(Stopped(STOP.code)))
