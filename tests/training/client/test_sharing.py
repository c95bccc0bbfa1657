import asyncio

import pytest

from evolvent.training.client.sharing import Sharing


class Work:
    """Counts how often it was begun and ends when told."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.begun = 0
        self.error = error
        self.gate = asyncio.Event()

    async def __call__(self) -> str:
        self.begun += 1
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return "done"


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_equal_work_under_way_is_done_once_and_one_of_those_who_asked_did_it() -> None:
    async def run() -> None:
        sharing, work = Sharing[str](), Work()
        asked = [asyncio.create_task(sharing.do("a", work)) for _ in range(3)]
        await settle()
        work.gate.set()
        assert await asyncio.gather(*asked) == [("done", True), ("done", False), ("done", False)]
        assert work.begun == 1
        assert await sharing.do("a", work) == ("done", True)

    asyncio.run(run())


def test_a_failure_is_shared_and_the_next_one_tries_again() -> None:
    async def run() -> None:
        sharing, work = Sharing[str](), Work(OSError("broken"))
        asked = [asyncio.create_task(sharing.do("a", work)) for _ in range(3)]
        await settle()
        work.gate.set()
        assert [str(e) for e in await asyncio.gather(*asked, return_exceptions=True)] == ["broken"] * 3
        with pytest.raises(OSError, match="broken"):
            await sharing.do("a", work)
        assert work.begun == 2

    asyncio.run(run())


def test_when_the_one_who_works_is_cancelled_another_takes_over() -> None:
    async def run() -> None:
        sharing, work = Sharing[str](), Work()
        asked = [asyncio.create_task(sharing.do("a", work)) for _ in range(3)]
        await settle()
        asked[0].cancel()
        await settle()
        work.gate.set()
        assert await asyncio.gather(*asked[1:]) == [("done", True), ("done", False)]
        assert (asked[0].cancelled(), work.begun) == (True, 2)

    asyncio.run(run())


def test_one_who_waits_and_is_cancelled_takes_no_work_with_it() -> None:
    async def run() -> None:
        sharing, work = Sharing[str](), Work()
        asked = [asyncio.create_task(sharing.do("a", work)) for _ in range(3)]
        await settle()
        asked[1].cancel()
        await settle()
        work.gate.set()
        assert await asyncio.gather(asked[0], asked[2]) == [("done", True), ("done", False)]

    asyncio.run(run())
