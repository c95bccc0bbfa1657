"""Real sessions to look at, each run once: one followed while it goes on, and one killed in its training."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ...killing import MINI, Kill, newest, session
from .visits import every_page, visit

LOOK = 0.2
"""Seconds between two looks at a session that goes on."""


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("viewed")


@dataclass
class Live:
    """What was seen while a whole session went on."""

    run: str = ""
    beats: list[str] = field(default_factory=list[str])
    """What the pulse said."""
    pages: dict[str, str] = field(default_factory=dict[str, str])
    """Every page there was, by address, at the last walk that began and ended while it ran."""


@pytest.fixture(scope="session")
def live(folder: Path) -> Live:
    seen = Live()
    client = visit(folder / "runs")
    with ThreadPoolExecutor(1) as pool:
        whole = pool.submit(session, "run", MINI, folder=folder)
        while not whole.done():
            time.sleep(LOOK)
            if run := newest(folder, []):
                for path in ("/", f"/runs/{run.name}", f"/runs/{run.name}/trace", f"/runs/{run.name}/exams"):
                    if (run / "session.json").exists():
                        assert client.get(path).status_code in (200, 404), path
                answer = client.get(f"/runs/{run.name}/pulse")
                seen.beats += [answer.text] if answer.status_code == 200 else []
                if '"running"' in answer.text and client.get(f"/runs/{run.name}/exams").status_code == 200:
                    pages = every_page(client, run.name, each=4)
                    if not whole.done():
                        seen.run, seen.pages = run.name, pages
        assert whole.result().code == 0
    return seen


@pytest.fixture(scope="session")
def finished(folder: Path, live: Live) -> Path:
    assert live.beats
    return next((folder / "runs").iterdir())


@pytest.fixture(scope="session")
def killed(folder: Path, finished: Path) -> Path:
    ended = session("run", MINI, folder=folder, kill=Kill("train.before_seal", 2))
    assert ended.code == -9
    found = newest(folder, [finished])
    assert found is not None
    return found
