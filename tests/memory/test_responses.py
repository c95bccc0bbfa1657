import asyncio
import contextlib
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from evolvent.memory.budget import Budget, Purse, Spending
from evolvent.memory.errors import BudgetError, RunError
from evolvent.memory.responses import Response, Responses, exchange

KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from evolvent.tests.memory.test_responses import make_response
from evolvent.memory.responses import Responses

async def put(store, key):
    await store.put(make_response(key))
    os.write(1, f"{key}\\n".encode())
    handed_out.append(key)
    if len(handed_out) == 100:
        os.kill(os.getpid(), signal.SIGKILL)

async def main(store):
    for batch in range(100):
        await asyncio.gather(*(put(store, f"{batch}.{i}") for i in range(37)))

handed_out = []
asyncio.run(main(Responses(Path(sys.argv[1]))))
"""
"""Hands out answers, and is killed with the hundredth while others wait for their commit."""


def make_response(key: str, role: str = "teacher", body: str = "{}") -> Response:
    return Response(key, role, Spending(1, 10, 2, 0.5), body)


def test_an_answer_is_on_disk_when_put_returns(tmp_path: Path) -> None:
    store = Responses(tmp_path / "r.sqlite")
    asyncio.run(store.put(make_response("a", body="said")))
    with sqlite3.connect(tmp_path / "r.sqlite") as other:
        assert other.execute("select key, body from responses").fetchall() == [("a", "said")]
    other.close()
    store.close()


def test_answers_at_once_are_all_kept_and_counted_by_role(tmp_path: Path) -> None:
    async def put(store: Responses) -> None:
        await asyncio.gather(*(store.put(make_response(str(i), "judge" if i % 2 else "teacher")) for i in range(100)))

    store = Responses(tmp_path / "r.sqlite")
    asyncio.run(put(store))
    store.close()
    again = Responses(tmp_path / "r.sqlite")
    assert again.spending() == {role: Spending(50, 500, 100, 25.0) for role in ("judge", "teacher")}
    assert (again.get("7"), again.get("100")) == ("{}", None)
    again.close()


def test_a_question_is_found_again_with_its_answer_where_it_was_kept(tmp_path: Path) -> None:
    store = Responses(tmp_path / "r.sqlite")
    asyncio.run(store.put(make_response("a", body="said")._replace(asked="told")))
    asyncio.run(store.put(make_response("b", role="student", body="said")))
    assert exchange(store.path, "a") == ("teacher", "told", "said")
    assert exchange(store.path, "b") == ("student", "", "said")
    assert exchange(store.path, "c") is None
    store.close()


def test_the_first_answer_to_a_question_stays(tmp_path: Path) -> None:
    store = Responses(tmp_path / "r.sqlite")
    asyncio.run(store.put(make_response("a", body="first")))
    asyncio.run(store.put(make_response("a", body="second")))
    assert store.get("a") == "first"
    store.close()


def test_a_caller_that_gives_up_takes_no_other_answer_with_it(tmp_path: Path) -> None:
    async def put(store: Responses) -> None:
        tasks = [asyncio.create_task(store.put(make_response(str(i)))) for i in range(8)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        assert await asyncio.gather(*tasks[1:]) == [None] * 7

    store = Responses(tmp_path / "r.sqlite")
    asyncio.run(put(store))
    store.close()


def test_callers_on_loops_of_their_own_share_a_store(tmp_path: Path) -> None:
    def put(number: int) -> None:
        asyncio.run(store.put(make_response(str(number))))

    store = Responses(tmp_path / "r.sqlite")
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(put, range(40)))
    assert store.spending()["teacher"].calls == 40
    store.close()


def test_a_commit_that_fails_is_told_to_everybody_who_waits(tmp_path: Path) -> None:
    async def put(store: Responses) -> list[BaseException | None]:
        return await asyncio.gather(*(store.put(make_response(str(i))) for i in range(40)), return_exceptions=True)

    store = Responses(tmp_path / "r.sqlite")
    with contextlib.closing(sqlite3.connect(store.path)) as other:
        other.execute("drop table responses")
    said = asyncio.run(put(store))
    assert len(said) == 40
    assert all(isinstance(error, sqlite3.OperationalError) for error in said)
    store.close()


def test_a_killed_process_has_stored_every_answer_it_handed_out(tmp_path: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "r.sqlite")], capture_output=True, text=True, check=False
    )
    handed_out = killed.stdout.split()
    assert (killed.returncode, len(handed_out)) == (-signal.SIGKILL, 100)
    store = Responses(tmp_path / "r.sqlite")
    assert all(store.get(key) == "{}" for key in handed_out)
    store.close()


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.sqlite").write_text("not a database, but long enough to look at" * 40)
    with pytest.raises(RunError, match="stored answers cannot be read"):
        Responses(tmp_path / "r.sqlite")


def test_a_store_that_is_damaged_inside_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    async def fill(store: Responses) -> None:
        await asyncio.gather(*(store.put(make_response(str(i), body="x" * 3000)) for i in range(50)))

    path = tmp_path / "r.sqlite"
    store = Responses(path)
    asyncio.run(fill(store))
    store.close()
    content = path.read_bytes()
    path.write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))
    with pytest.raises(RunError, match="stored answers cannot be read"):
        Responses(path)


@pytest.mark.parametrize(
    ("budget", "name"), [(Budget(tokens=12), "tokens"), (Budget(usd=0.5), "usd"), (Budget(wall_clock=60), "wall_clock")]
)
def test_a_budget_that_is_reached_lets_no_call_begin(budget: Budget, name: str) -> None:
    purse = Purse(budget, clock=iter([100.0, 101.0, 130.0, 130.0]).__next__, seconds=30)
    purse.check()
    purse.pay("teacher", Spending(1, 10, 2, 0.5))
    with pytest.raises(BudgetError, match=f"budget {name} = .* is spent"):
        purse.check()
