import json
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolvent.memory.trace import Clock, Trace, Work, reading, recording, span, spent

NESTED: st.SearchStrategy[Any] = st.recursive(
    st.just([]), lambda inner: st.lists(st.tuples(st.sampled_from(get_args(Work)), inner), max_size=3), max_leaves=12
)


def spans(path: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("select * from spans order by seq")]


def fail_after_probing() -> None:
    with span("probe") as values:
        values["asked"] = 3
    raise KeyError


def spin(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


@given(work=NESTED)
def test_however_work_is_nested_its_shares_sum_to_the_wall_time(work: list[tuple[Work, Any]]) -> None:
    def do(parts: list[tuple[Work, Any]]) -> None:
        for name, inner in parts:
            with clock.spent(name):
                do(inner)

    earliest = time.perf_counter()
    clock = Clock()
    latest = time.perf_counter()
    do(work)
    before = time.perf_counter()
    total = sum(clock.read().values())
    after = time.perf_counter()
    assert before - latest - 1e-6 <= total <= after - earliest + 1e-6


def test_time_inside_an_inner_booking_is_charged_to_it_alone() -> None:
    clock = Clock()
    since = time.perf_counter()
    with clock.spent("training"):
        with clock.spent("fsync"):
            spin(0.02)
        inner = time.perf_counter()
    seconds = clock.read()
    assert seconds["fsync"] >= 0.02
    assert seconds["training"] <= time.perf_counter() - since - seconds["fsync"]
    assert seconds["training"] + seconds["fsync"] >= inner - since - 0.005


def test_a_failure_inside_a_booking_ends_it() -> None:
    clock = Clock()
    with pytest.raises(KeyError), clock.spent("training"), clock.spent("inference"):
        raise KeyError
    before = clock.read()
    spin(0.001)
    after = clock.read()
    assert {work for work in after if after[work] != before[work]} == {"orchestration"}


def test_what_came_before_the_clock_is_start_up() -> None:
    assert Clock(time.perf_counter() - 3).read()["start-up"] >= 3


def test_spans_keep_their_parents_their_attributes_and_how_they_ended(tmp_path: Path) -> None:
    path = tmp_path / "trace.sqlite"
    with recording(Trace(path)), pytest.raises(KeyError), span("session", run="é"):
        fail_after_probing()
    inner, outer = spans(path)
    assert (inner["name"], inner["parent"], inner["status"]) == ("probe", outer["id"], "ok")
    assert json.loads(inner["attributes"]) == {"asked": 3}
    assert (outer["parent"], outer["status"], json.loads(outer["attributes"])) == (None, "KeyError", {"run": "é"})
    assert outer["seconds"] >= inner["seconds"] >= 0


def test_a_span_is_on_disk_when_it_ends_and_a_second_process_goes_on_with_new_ids(tmp_path: Path) -> None:
    path = tmp_path / "trace.sqlite"
    with recording(Trace(path)):
        with span("first"):
            pass
        assert [row["name"] for row in spans(path)] == ["first"]
    with recording(Trace(path)), span("second"):
        pass
    assert len({row["id"] for row in spans(path)}) == 2


def test_without_a_recording_nothing_is_booked_and_nothing_breaks() -> None:
    with spent("training"), span("probe", round=1) as values:
        assert values == {"round": 1}
    assert reading() == {}


def test_ids_go_on_after_a_kill_that_lost_the_steps_around_what_had_ended(tmp_path: Path) -> None:
    path = tmp_path / "trace.sqlite"
    with recording(Trace(path)), span("session"), span("node"):
        with span("child"):
            pass
        killed = shutil.copytree(tmp_path, tmp_path / "killed") / "trace.sqlite"
    with recording(Trace(killed)), span("session"):
        pass
    assert [s["id"] for s in spans(killed)] == ["00000003", "00000004"]


def test_only_steps_around_others_are_noted_while_they_go_on(tmp_path: Path) -> None:
    path = tmp_path / "trace.sqlite"

    def noted() -> list[str]:
        with closing(sqlite3.connect(path)) as database:
            return [name for (name,) in database.execute("select name from begun order by id")]

    with recording(Trace(path)), span("session"):
        with span("node"):
            assert noted() == []
            with span("child"):
                pass
            assert noted() == ["session", "node"]
        assert noted() == ["session"]
    assert noted() == []


def test_a_step_and_its_parts_are_found_without_reading_the_whole_trace(tmp_path: Path) -> None:
    path = tmp_path / "trace.sqlite"
    Trace(path).close()
    with closing(sqlite3.connect(path)) as database:
        plans = {
            where: str(database.execute(f"explain query plan select * from spans where {where} = '1'").fetchall())
            for where in ("id", "parent")
        }
    assert "spans_by_id" in plans["id"]
    assert "spans_by_parent" in plans["parent"]
