"""Pausing a session, and trying what one made."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from evolvent.agents.commands import pausing, trying
from evolvent.agents.reports import results
from evolvent.agents.reports.results import Student
from evolvent.memory import files
from evolvent.memory.errors import EvolventError, RunError
from evolvent.memory.inference import Completion, Request
from evolvent.training.engines.transformers import Transformers

from ..killing import COMMAND, MINI, Kill, committed, newest
from ..killing import session as child
from ..memory.runs import make_run, story
from . import calling

HOLD = """
import signal, sys
from pathlib import Path
from evolvent.memory.lock import Lock
signal.signal(signal.SIGTERM, {handler})
with Lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
NASTY = "\x1b[31mred\x1b]0;title\x07\u202edriew\u200b\r\x9b"

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    def call(*arguments: str | Path) -> tuple[int, str, str]:
        code = calling.call(monkeypatch, *arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@contextmanager
def holder(run: Path, handler: str) -> Generator[subprocess.Popen[str]]:
    """A process that holds a run's lock and does this on SIGTERM."""
    program = [sys.executable, "-c", HOLD.format(handler=handler), str(run)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_run_that_is_not_running_is_not_paused_and_says_so(say: Say, tmp_path: Path) -> None:
    run = make_run(tmp_path, story())
    assert say("pause", run) == (0, f"{run.name}: not running, finished\n", "")
    code, out, _ = say("pause", run, "--json")
    assert (code, json.loads(out)["paused"]) == (0, False)


def test_the_process_that_holds_a_run_is_asked_and_waited_for(tmp_path: Path) -> None:
    run = make_run(tmp_path, story())
    with holder(run, "lambda *_: sys.exit(3)") as process:
        assert pausing.pause(run, patience=20)
        assert process.wait() == 3


def test_one_that_was_asked_already_is_not_killed_but_waited_for(tmp_path: Path) -> None:
    run = make_run(tmp_path, story())
    with holder(run, "signal.SIG_DFL") as process:
        with pytest.raises(EvolventError, match=f"process {process.pid} was asked to stop and still runs after 0.1 s"):
            pausing.pause(run, patience=0.1)
        assert process.poll() is None


def test_a_process_that_was_given_the_id_later_is_left_alone(tmp_path: Path) -> None:
    run = make_run(tmp_path, story())
    with holder(run, "lambda *_: sys.exit(3)") as process:
        (run / "lock").write_text(json.dumps({"pid": process.pid, "started": 1}))
        assert not pausing.pause(run, patience=0)
        stored = json.loads((run / "session.json").read_text()) | {"status": "running", "pid": process.pid}
        (run / "session.json").write_text(json.dumps(stored))
        with pytest.raises(RunError, match=f"`kill {process.pid}` stops it"):
            pausing.pause(run, patience=0)
        assert process.poll() is None


def test_an_answer_is_data_and_cannot_look_like_a_label() -> None:
    student = Student("base", "0" * 16, Path())
    shown = trying.lines([trying.Said(student, Completion(f"{NASTY}\npromoted  42", 9, complete=False))])
    assert [c for c in NASTY if not c.isprintable() and c in "\n".join(shown)] == []
    assert shown[0].startswith("base      \\x1b[31mred")
    assert shown[1] == "          promoted  42"
    assert "cut" in shown[2]


def test_a_run_without_students_is_refused_in_one_line(say: Say, tmp_path: Path) -> None:
    code, out, err = say("try", make_run(tmp_path, story()), "--prompt", "1+1")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "a student behind an endpoint is asked at its endpoint" in err


@pytest.fixture(scope="module")
def paused(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run that was paused after its first exam and has finished since, and what `pause` said."""
    folder = tmp_path_factory.mktemp("paused")
    variables = {"EVOLVENT_CACHE": str(folder / "cache"), "TERM": "dumb", "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(
        [COMMAND, "run", MINI], cwd=folder, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while (run := newest(folder, [])) is None or committed(run) < 2:
            assert process.poll() is None
            time.sleep(0.02)
        done = subprocess.run([COMMAND, "pause", run], capture_output=True, text=True, cwd=folder, check=True)
        assert process.wait() == Kill(number=signal.SIGTERM).code
    assert child("resume", run, folder=folder).code == 0
    return run, done.stdout


@pytest.mark.slow
def test_a_paused_session_says_how_to_go_on(paused: tuple[Path, str]) -> None:
    run, said = paused
    assert said == f"{run.name}: interrupted\nnext     evolvent resume {run}\n"


@pytest.mark.slow
def test_two_students_are_asked_side_by_side_and_the_run_is_only_read(say: Say, paused: tuple[Path, str]) -> None:
    run, _ = paused
    before = {p: files.file_digest(p) for p in run.rglob("*") if p.is_file() and not p.name.endswith(("-shm", "-wal"))}
    code, out, _ = say("try", run, "--prompt", "672+255", "--prompt", "flip 1803", "--json")
    asked: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
    assert (code, [line["prompt"] for line in asked]) == (0, ["672+255", "flip 1803"])
    assert asked[0]["base"]["student"] != asked[0]["promoted"]["student"]
    for student in results.students(run):
        engine = Transformers().open(student.path)
        (own,) = asyncio.run(engine.answer([Request("flip 1803", 64)]))
        engine.close()
        told = asked[1][student.label]
        assert (told["student"], told["answer"]) == (student.digest, own.text)
    assert {p: files.file_digest(p) for p in before} == before


@pytest.mark.slow
def test_lines_of_standard_input_are_questions(paused: tuple[Path, str]) -> None:
    done = subprocess.run(
        [COMMAND, "try", paused[0]], input="672+255\n\nflip 1\n", capture_output=True, text=True, check=True
    )
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["base", "promoted"] * 2


@pytest.mark.vllm
def test_the_promoted_student_is_served_at_this_machine_alone(
    say: Say, paused: tuple[Path, str], tmp_path: Path
) -> None:
    run, _ = paused
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    _, out, _ = say("try", run, "--prompt", "flip 1803", "--json")
    arguments = [COMMAND, "try", run, "--serve", "--port", str(port)]
    log = tmp_path / "log"
    with log.open("wb") as file, subprocess.Popen(arguments, stderr=file, stdout=file) as process:
        try:
            body = {"model": "promoted", "temperature": 0, "messages": [{"role": "user", "content": "flip 1803"}]}
            said = post(f"http://127.0.0.1:{port}/v1/chat/completions", body, process, log)
            assert said["choices"][0]["message"]["content"] == json.loads(out)["promoted"]["answer"]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def post(url: str, body: dict[str, Any], process: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    """Ask until the server is up."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    while process.poll() is None:
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)
        except OSError:
            time.sleep(0.5)
    raise AssertionError(log.read_text())
