import contextlib
import sqlite3
from pathlib import Path

import pytest

from ...agents.graph import PLACE
from ..killing import MINI, Json, Kill, figures, newest, runs, session, trial, untouched

pytestmark = pytest.mark.slow

SESSIONS = {
    "training": [Kill("train.before_seal", 2), Kill("effect.after_publish"), Kill("index.after_upsert")],
    "committing": [Kill("effect.before_commit", 9), Kill("graph.after_node", 8), Kill("report.before_write")],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kills")


@pytest.fixture(scope="module")
def whole(folder: Path) -> Json:
    return untouched(folder)


def test_an_untouched_session_leaves_nothing_unfinished_or_doubled(whole: Json) -> None:
    assert [promoted for _, promoted, _ in whole["promotions"]] == [False, True]
    assert whole["unfinished"] == whole["staging"] == whole["temporary"] == []
    assert whole["memory"]["doubled"] == 0
    assert whole["memory"]["indexed"] == whole["memory"]["places"] > 0


@pytest.mark.parametrize("kills", SESSIONS.values(), ids=SESSIONS)
def test_a_killed_session_loses_doubles_and_decides_nothing_differently(
    folder: Path, whole: Json, kills: list[Kill]
) -> None:
    assert trial(folder, kills).problems(whole) == []


def test_a_session_killed_in_the_middle_of_training_trains_that_round_alone_again(folder: Path, whole: Json) -> None:
    steps = [step for step, *_ in whole["order"]]
    second = steps.index("train targeted", steps.index("reflect"))
    done = trial(folder, [Kill(count=second, later=0.2)])
    assert done.problems(whole) == []
    assert done.stood == (("train targeted of round 2",),)


def test_a_session_killed_between_a_steps_result_and_its_checkpoint_goes_on(folder: Path, whole: Json) -> None:
    before = runs(folder)
    session("run", MINI, folder=folder, kill=Kill("graph.after_node", 4))
    run = newest(folder, before)
    assert run
    with contextlib.closing(sqlite3.connect(run / PLACE)) as place, place:
        place.execute("delete from checkpoints where checkpoint_id > (select max(checkpoint_id) from writes)")
        assert place.execute("select count(*) from writes w join checkpoints using (checkpoint_id)").fetchone()[0]
    resumed = session("resume", run, "--json", folder=folder)
    assert resumed.code == 0, resumed.said
    assert figures(run, resumed.events[-1]) == whole
