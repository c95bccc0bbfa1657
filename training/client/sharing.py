"""Equal work that is under way is done once: the first who asks does it, the others wait for what becomes of it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Sharing(Generic[T]):
    """What is under way, by key. Use it on one event loop."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Future[T]] = {}

    async def do(self, key: str, work: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        """Give the result, and whether this caller did the work; an exception reaches all who wait.

        Args:
            key: what makes work equal.
            work: done here unless it is under way. When whoever does it is cancelled, the next one who waits does it.
        """
        while (theirs := self._under_way.get(key)) is not None:
            # a caller that is cancelled must not take the work of the others with it
            await asyncio.wait([theirs])
            if not theirs.cancelled():
                return theirs.result(), False
        return await self._lead(key, work), True

    async def _lead(self, key: str, work: Callable[[], Awaitable[T]]) -> T:
        mine: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._under_way[key] = mine
        try:
            result = await work()
        except asyncio.CancelledError:
            mine.cancel()
            raise
        except BaseException as error:
            mine.set_exception(error)
            # it is raised here as well; that nobody else waited is no fault to warn of
            mine.exception()
            raise
        else:
            mine.set_result(result)
            return result
        finally:
            del self._under_way[key]
