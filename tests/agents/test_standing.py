"""Runs whose files were lost, damaged or put back from an older copy, after a real session was killed."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ..killing import MINI, Ended, Kill, figures, newest
from ..killing import session as child

pytestmark = pytest.mark.slow
NODES = 12
"""Steps of the graph that are behind a session once its first round is decided and reflected on."""


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("standing")


@pytest.fixture(scope="module")
def finished(folder: Path) -> Ended:
    return child("run", MINI, "--json", folder=folder)


@pytest.fixture(scope="module")
def killed(folder: Path, finished: Ended) -> Path:
    """A run that was killed after its first decision, with its last transactions in the logs of its databases."""
    assert finished.code == 0
    before = sorted((folder / "runs").iterdir())
    child("run", MINI, folder=folder, kill=Kill("graph.after_node", NODES))
    run = newest(folder, before)
    assert run
    return run


@pytest.fixture
def run(killed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(killed, tmp_path / "run", symlinks=True))


def lose_the_log(run: Path) -> None:
    (run / "ledger.sqlite-wal").unlink()
    (run / "ledger.sqlite-shm").unlink(missing_ok=True)


def lose_the_last_steps(run: Path) -> None:
    execute(run / "ledger.sqlite", "delete from effects where name in ('decide', 'examine', 'reflect') and round > 0")


@pytest.mark.parametrize("loss", [lose_the_log, lose_the_last_steps])
def test_a_ledger_that_is_older_than_its_run_is_gone_on_with_and_comes_to_the_same(
    folder: Path, finished: Ended, run: Path, loss: Callable[[Path], None]
) -> None:
    loss(run)
    ended = child("resume", run, "--json", folder=folder)
    assert ended.code == 0, ended.said
    assert ended.said.count("ledger    is older than the run") == 1
    wanted = figures(Path(finished.events[0]["dir"]), finished.events[-1])
    found = figures(run, ended.events[-1])
    assert [name for name in wanted if found[name] != wanted[name] and name != "order"] == []


def damage_seed(run: Path) -> None:
    stored = json.loads((run / "session.json").read_text())
    stored["session"]["seed"] = 7
    (run / "session.json").write_text(json.dumps(stored))


def lengthen(run: Path) -> None:
    weights = run / "base" / "model.safetensors"
    weights.write_bytes(weights.read_bytes() + b"x")


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "records are gone": (lambda r: execute(r / "ledger.sqlite", "delete from records"), "ledger.sqlite: "),
    "the seed was changed": (damage_seed, "is not of the session that wrote this ledger"),
    "the student is gone": (lambda r: shutil.rmtree(r / "base"), "base: is gone, or not as it was sealed"),
    "the student is longer": (lengthen, "base: is gone, or not as it was sealed"),
}


@pytest.mark.parametrize(("damage", "said"), DAMAGES.values(), ids=DAMAGES)
def test_a_run_that_lost_what_it_committed_is_refused_in_one_line(
    folder: Path, run: Path, damage: Callable[[Path], object], said: str
) -> None:
    damage(run)
    rounds = sorted(p.name for p in (run / "rounds").iterdir())
    ended = child("resume", run, folder=folder)
    assert (ended.code, ended.said.count("\n")) == (2, 1), ended.said
    assert said in ended.said
    assert "restore it from a copy" in ended.said
    assert sorted(p.name for p in (run / "rounds").iterdir()) == rounds
