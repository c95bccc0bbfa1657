import json
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from evolvent.agents import planning
from evolvent.agents.commands.items import tasks
from evolvent.agents.desk import Desk
from evolvent.agents.reports.watcher import Nobody
from evolvent.memory.errors import RunError
from evolvent.memory.records import Sample

from ..killing import COMMAND, MINI
from ..memory.runs import make_run, story
from . import calling

NASTY = "\x1b[31mred\x1b]0;title\x07\u202edriew\u2066\u200b\x00\r\x9b"
"""Escape sequences, a bell, bidi controls, a zero-width space, NUL, a carriage return and a C1 control."""

Say = Callable[..., str]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    def call(*arguments: str | Path) -> str:
        code = calling.call(monkeypatch, *arguments)
        said = capsys.readouterr()
        return said.out if code == 0 else f"{code}: {said.err}"

    return call


def sample_of(records: list[object]) -> Sample:
    return next(r for r in records if isinstance(r, Sample))


def test_explain_follows_a_sample_from_the_failure_to_the_exam(say: Say, tmp_path: Path) -> None:
    records = story()
    make_run(tmp_path, records)
    said = say("explain", sample_of([*records]).id[:6], "--runs-dir", tmp_path)
    for part in ("failure", "fails where a digit carries", "program: draw", "accepted by exact", "kept", "student-1"):
        assert part in said
    assert "round 1  promoted  25.0% -> 75.0%  +50.0 points (gained 3, lost 1 of 4" in said


def test_blame_says_what_moved_a_skill(say: Say, tmp_path: Path) -> None:
    make_run(tmp_path, story())
    said = say("blame", "carry", "--runs-dir", tmp_path)
    assert "round 1  promoted  25.0% -> 75.0%" in said
    assert "+ 1 sample against fails where a digit carries" in said


def test_without_a_name_the_newest_run_is_meant(say: Say, tmp_path: Path) -> None:
    for name in ("2026-01_old", "2026-02_new"):
        make_run(tmp_path, story(), name=name)
    assert "2026-02_new" in say("blame", "carry", "--runs-dir", tmp_path)
    assert "2026-01_old" in say("blame", "carry", "--runs-dir", tmp_path, "--run", "2026-01_old")


@pytest.mark.parametrize("arguments", [("trace", "list"), ("trace", "show"), ("trace", "grep", "probe")], ids=" ".join)
def test_a_trace_is_read_in_the_terminal(say: Say, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    make_run(tmp_path, story())
    assert "probe" in say(*arguments, "--runs-dir", tmp_path)
    rows = [json.loads(line) for line in say(*arguments, "--json", "--runs-dir", tmp_path).splitlines()]
    assert "probe" in {row["name"] for row in rows}


@pytest.mark.parametrize("command", ["explain", "blame"])
def test_no_text_of_a_model_reaches_the_terminal_raw(say: Say, tmp_path: Path, command: str) -> None:
    records = story(NASTY, prompt=f"17{NASTY}")
    make_run(tmp_path, records)
    said = say(command, sample_of([*records]).id if command == "explain" else "carry", "--runs-dir", tmp_path)
    assert [c for c in NASTY if c != "\n" and not c.isprintable() and c in said] == []
    assert "\\x1b[31mred" in said


def test_programs_get_a_lineage_and_moves_as_json(say: Say, tmp_path: Path) -> None:
    records = story(NASTY)
    make_run(tmp_path, records)
    sample = sample_of([*records])
    found = json.loads(said := say("explain", sample.id, "--json", "--runs-dir", tmp_path))
    assert (found["sample"]["id"], found["fate"]["kept"], len(found["failures"])) == (sample.id, True, 1)
    exam = found["examined"][0]["exam"]
    assert exam == {"gained": 3, "lost": 1, "items": 4, "change": 0.5, "p_value": pytest.approx(0.3125)}
    assert said.rstrip().isascii()
    assert said.rstrip().isprintable()
    (move,) = map(json.loads, say("blame", "carry", "--json", "--runs-dir", tmp_path).splitlines())
    assert (move["promoted"], move["taught"][0]["samples"]) == (True, 1)


@pytest.mark.parametrize("wanted", ["zz", "0" * 16, "../../etc/passwd", "%"])
def test_an_unknown_sample_is_refused_in_one_line(say: Say, tmp_path: Path, wanted: str) -> None:
    make_run(tmp_path, story())
    assert say("explain", wanted, "--runs-dir", tmp_path).startswith("2: evolvent: ")


def test_a_prefix_that_several_samples_share_is_refused(say: Say, tmp_path: Path) -> None:
    make_run(tmp_path, story())
    assert "write more of it" in say("explain", "", "--runs-dir", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_viewer_serves_pages_until_it_is_asked_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    make_run(tmp_path, story())
    arguments = [COMMAND, "view", "--runs-dir", tmp_path, "--port", "0"]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            address = next(word for word in process.stderr.readline().split() if word.startswith("http"))
            with urllib.request.urlopen(address.rstrip(";")) as answer:
                assert "then_mini_0001" in answer.read().decode()
            process.send_signal(number)
            assert process.wait(20) == 0
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--host", "0.0.0.0"), "give --token"), (("--host", "0.0.0.0", "--token", "short"), "can be guessed"),
        (("nowhere",), "not a run"), (("--host", "no host"), "give --token"),
    ],
)  # fmt: skip
def test_a_viewer_that_others_could_reach_or_that_has_nothing_to_show_is_refused(
    say: Say, arguments: tuple[str, ...], part: str
) -> None:
    said = say("view", *arguments)
    assert said.startswith("2: evolvent: ")
    assert part in said


def test_a_run_is_written_as_pages_that_need_no_server(say: Say, tmp_path: Path) -> None:
    make_run(tmp_path / "runs", story())
    arguments = ("view", "bundle", "then_mini_0001", "--runs-dir", tmp_path / "runs", "-o", tmp_path / "out")
    said = say(*arguments)
    assert f"open     {tmp_path / 'out' / 'index.html'}" in said
    assert "left out" in say(*arguments, "--most", "1")
    assert json.loads(say(*arguments, "--json"))["pages"] == len(list((tmp_path / "out").rglob("*.html")))
    assert say("view", "bundle", "nothing", "-o", tmp_path / "out").startswith("2: ")


def test_a_port_that_is_taken_is_refused_with_the_way_out(say: Say, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = say("view", "--runs-dir", tmp_path, "--port", str(taken.getsockname()[1]))
    assert "try --port 0" in said


def test_the_items_of_an_exam_are_drawn_again_in_its_order(tmp_path: Path) -> None:
    plan = planning.plan(MINI, [], seed=0, limit=None, allow_import=False)
    desk = Desk.create(
        tmp_path, plan.scenario, plan.parts, plan.session(), toml=plan.toml, stamp="then", watcher=Nobody()
    )
    expected = desk.items("select")
    desk.close()
    assert tasks(desk.run, "select") == expected
    assert len(expected) > 0


def test_items_are_not_drawn_for_what_is_not_a_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a run"):
        tasks(tmp_path, "select")
