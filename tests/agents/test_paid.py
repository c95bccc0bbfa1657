"""Sessions whose student is behind an endpoint that wants to be paid."""

import asyncio
import hashlib
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evolvent.memory import files
from evolvent.memory.account import ANSWERS
from evolvent.training.engines.openai import OpenAI

from ..endpoint import MODEL, Endpoint, serving, work
from ..killing import MINI, Ended, Kill, newest, session

pytestmark = pytest.mark.slow

SLOW = 0.02
"""Seconds of a call, so that a kill finds many under way."""


class Adder(Endpoint):
    """Writes a leading zero where the reference of a sum has one; so every skill is mastered, and nothing is taught."""

    def _say(self, body: dict[str, Any]) -> str:
        prompt = body["messages"][-1]["content"]
        return work(prompt).ljust(prompt.find("+") + 1, "0")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving(Adder()) as served:
        yield served


def options(endpoint: Endpoint) -> list[str]:
    settings = {
        "student.engine.name": "openai", "student.engine.base_url": endpoint.url, "student.engine.model": MODEL,
        "student.engine.first": 4, "student.engine.most": 4, "student.engine.answer_price": 1_000_000,
        "skills.coin.task.operation": "add",
    }  # fmt: skip
    return [f"--set={key}={value}" for key, value in settings.items()]


def asked(endpoint: Endpoint, since: int = 0) -> Counter[str]:
    """How often each question was put, by the hash under which its answer is stored; greetings left out."""
    scope = OpenAI(base_url=endpoint.url, model=MODEL).identity().encode()
    bodies = [b for b in endpoint.bodies[since:] if b["messages"][-1]["content"] != "Say one word."]
    return Counter(hashlib.sha256(scope + b"\0" + files.canonical(b).encode()).hexdigest() for b in bodies)


def stored(run: Path) -> set[str]:
    with sqlite3.connect(f"file:{run / ANSWERS}?mode=ro", uri=True) as database:
        keys = {str(key) for (key,) in database.execute("select key from responses")}
    database.close()
    return keys


def resumed(run: Path, folder: Path, *settings: str) -> Ended:
    return session("resume", run, "--json", *settings, folder=folder)


def test_a_session_killed_among_paid_calls_asks_nothing_twice_that_was_stored(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    endpoint.latency, endpoint.slots = lambda _: SLOW, asyncio.Semaphore(64)
    # the first effect is the exam of the student as it is, and what it is asked next are probes
    kill = Kill(count=1, later=0.2)
    ended = session("run", MINI, "--json", *options(endpoint), folder=tmp_path, kill=kill)
    assert ended.code == -9
    run = newest(tmp_path, [])
    assert run
    time.sleep(2 * SLOW)
    before, since = stored(run), len(endpoint.bodies)
    again = resumed(run, tmp_path)
    assert again.code == 0, again.said
    assert 10 < len(before) < len(stored(run)) - 10
    assert before.isdisjoint(asked(endpoint, since))
    assert again.events[-1]["models"]["roles"]["student"]["calls"] == len(stored(run)) == len(asked(endpoint))


def test_a_spent_budget_ends_a_session_until_it_is_raised(endpoint: Endpoint, tmp_path: Path) -> None:
    ended = session("run", MINI, "--json", *options(endpoint), "--set=budget.usd=200", folder=tmp_path)
    assert ended.code == 5, ended.said
    assert "budget usd = 200 is spent" in ended.said
    run = newest(tmp_path, [])
    assert run
    since = len(endpoint.bodies)
    assert resumed(run, tmp_path).code == 5
    assert not asked(endpoint, since)
    assert (run / "report.html").is_file()
    assert resumed(run, tmp_path, "--set=rounds.most=1").code == 2
    raised = resumed(run, tmp_path, "--set=budget.usd=1e6")
    assert raised.code == 0, raised.said
    models = raised.events[-1]["models"]
    assert models["budget"] == {"usd": 1e6}
    assert models["roles"]["student"]["usd"] == models["roles"]["student"]["tokens"] > 200
    assert max(asked(endpoint).values()) == 1


def test_time_that_is_used_up_ends_a_session_resumably(tmp_path: Path) -> None:
    ended = session("run", MINI, "--json", "--set=budget.wall_clock=0.5", folder=tmp_path)
    assert ended.code == 5, ended.said
    assert "--set budget.wall_clock=" in ended.said
    run = newest(tmp_path, [])
    assert run
    assert resumed(run, tmp_path, "--set=budget.wall_clock=600").code == 0


def test_a_student_that_cannot_be_trained_is_probed_and_refused_before_anything_is_written_for_it(
    tmp_path: Path,
) -> None:
    with serving(Endpoint()) as served:
        ended = session("run", MINI, *options(served), folder=tmp_path)
    assert ended.code == 2
    assert "'openai' does not serve the weights a round trains; what was found is kept here" in ended.said
    assert "Traceback" not in ended.said
