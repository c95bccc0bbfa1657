"""Sessions whose rounds train in a process of their own, killed and resumed."""

import json
import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from evolvent.memory.ledger import Ledger
from evolvent.memory.records import Round
from evolvent.training.lease import LEASE
from evolvent.training.serving import child

from ..killing import COMMAND, MINI, newest, session

pytestmark = pytest.mark.slow

LONG = ("trainer.epochs=40", "trainer.args.logging_steps=1", "train.process=child", "rounds.most=1", "control=false")


def begin(folder: Path) -> tuple[subprocess.Popen[bytes], Path, child.Identity]:
    """Start a session, and wait until its round trains; give both processes and the run."""
    words = [word for one in LONG for word in ("--set", one)]
    variables = {**os.environ, "EVOLVENT_CACHE": str(folder / "cache"), "EVOLVENT_RUNS_DIR": str(folder / "runs")}
    with (folder / "said").open("wb") as said:
        started = subprocess.Popen(
            [COMMAND, "run", MINI, *words], stdout=said, stderr=said, env=variables, start_new_session=True
        )
    until = time.monotonic() + 300
    while time.monotonic() < until and started.poll() is None:
        for metrics in folder.glob("runs/*/staging/*/metrics.jsonl"):
            holder = child.read(metrics.with_name(LEASE))
            run = newest(folder, [])
            if holder and run and metrics.read_text():
                return started, run, holder
        time.sleep(0.02)
    raise AssertionError((folder / "said").read_text())


def rounds(run: Path) -> list[Round]:
    ledger = Ledger(run / "ledger.sqlite", read_only=True)
    try:
        return ledger.read(Round)
    finally:
        ledger.close()


def waited_for(run: Path) -> list[int]:
    """Pids of the processes that trained, as the trace has them."""
    with closing(sqlite3.connect(run / "trace.sqlite")) as trace:
        found = trace.execute("select attributes from spans where name = 'training process'").fetchall()
    return [json.loads(attributes)["pid"] for (attributes,) in found]


def test_a_session_that_was_killed_adopts_the_process_that_goes_on_training(tmp_path: Path) -> None:
    started, run, holder = begin(tmp_path)
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    assert child.alive(holder)
    resumed = session("resume", run, "--json", folder=tmp_path)
    assert resumed.code == 0, resumed.said
    assert len(rounds(run)) == 1
    assert waited_for(run) == [holder.pid]
    assert not child.alive(holder)
    assert list((run / "staging").iterdir()) == []


def test_a_session_that_is_asked_to_stop_takes_its_process_along(tmp_path: Path) -> None:
    started, run, holder = begin(tmp_path)
    os.kill(started.pid, signal.SIGTERM)
    assert started.wait(120) == 143
    assert child.members(holder.pid) == []
    assert rounds(run) == []
