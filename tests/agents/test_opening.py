"""A stop that comes while a run's folder is made."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from evolvent.agents import graph
from evolvent.agents.desk import Desk
from evolvent.agents.parts import Parts
from evolvent.agents.reports.watcher import Nobody
from evolvent.memory.records import Session
from evolvent.memory.stopping import STOP, Stopped

from .desks import make_scenario


@pytest.fixture(autouse=True)
def _stoppable() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, STOP)
    yield
    STOP.code = 0
    signal.signal(signal.SIGINT, before)


def test_it_waits_until_the_folder_is_a_run_that_can_be_gone_on_with(tmp_path: Path) -> None:
    scenario, told = make_scenario(), list[Path]()
    session = Session(
        name="small", scenario=scenario.hash, seed=0, limit=None, graph=graph.fingerprint(), settings={"source": ""}
    )
    parts = Parts.resolve(scenario, "small.toml")
    with pytest.raises(Stopped):
        Desk.create(
            tmp_path, scenario, parts, session, toml="", stamp="now", watcher=Nobody(),
            earlier=lambda _: os.kill(os.getpid(), signal.SIGINT), made=told.append,
        )  # fmt: skip
    assert [path.parent for path in told] == [tmp_path]
    assert (told[0] / "session.json").is_file()
