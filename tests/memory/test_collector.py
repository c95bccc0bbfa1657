import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from evolvent.memory import collector, conventions
from evolvent.memory.errors import UnavailableError, UsageError
from evolvent.memory.inference import Completion
from evolvent.memory.spans import Spans
from evolvent.memory.trace import hide, recording, span

from ..agents.calling import call

SECRET = 'sk-"top\\secret"-é1'


@contextlib.contextmanager
def receiving(path: Path, *status: str) -> Generator[str]:
    """A collector in a process of its own; gives its address."""
    command = [sys.executable, str(Path(__file__).with_name("receiver.py")), str(path), *status]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@pytest.fixture
def got(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """Where spans arrive that are sent as the environment says."""
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    with receiving(tmp_path / "got.jsonl") as address:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        yield tmp_path / "got.jsonl"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "then_mini_0001"
    folder.mkdir()
    return folder / "trace.sqlite"


def received(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def until(done: Callable[[], bool]) -> None:
    end = time.perf_counter() + 20
    while not done():
        assert time.perf_counter() < end
        time.sleep(0.02)


def work() -> None:
    with conventions.workflow("mini", run="then_mini_0001"), conventions.agent("probe", round=1):
        with conventions.chat("student", provider="transformers", requests=2) as step:
            step.update(conventions.usage([Completion("a", 3, complete=True, prompt_tokens=5)]))
        with contextlib.suppress(KeyError), conventions.tool("recall", skill="carry"):
            raise KeyError


def test_a_collector_gets_every_span_with_its_parent_its_times_and_how_it_ended(run: Path, got: Path) -> None:
    before = time.time_ns()
    with recording(collector.open_trace(run)):
        work()
    chat, tool, agent, session = received(got)
    assert [s["name"] for s in (session, agent, chat, tool)] == [
        "invoke_workflow mini", "invoke_agent probe", "chat student", "execute_tool recall",
    ]  # fmt: skip
    assert (session["parent"], agent["parent"], chat["parent"], tool["parent"]) == (
        "", session["id"], agent["id"], agent["id"],
    )  # fmt: skip
    assert len({s["trace"] for s in (chat, tool, agent, session)}) == 1
    assert before <= session["start"] <= chat["start"] <= chat["end"] <= session["end"] <= time.time_ns()
    assert (chat["status"], tool["status"], tool["attributes"]["error.type"]) == (1, 2, "KeyError")
    assert chat["attributes"] == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "transformers", "gen_ai.request.model": "student",
        "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 3, "evolvent.requests": 2,
    }  # fmt: skip
    assert session["resource"]["service.name"] == "evolvent"
    assert session["resource"]["evolvent.run"] == "then_mini_0001"
    assert session["path"] == "/v1/traces"


def test_a_resumed_session_goes_on_in_the_same_trace(run: Path, got: Path) -> None:
    for _ in range(2):
        with recording(collector.open_trace(run)):
            work()
    spans = received(got)
    assert len({s["trace"] for s in spans}) == 1
    assert len({s["id"] for s in spans}) == len(spans) == 8


def test_spans_of_two_runs_share_no_id(tmp_path: Path, got: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with recording(collector.open_trace(tmp_path / name / "trace.sqlite")):
            work()
    spans = received(got)
    assert len({s["trace"] for s in spans}) == 2
    assert len({s["id"] for s in spans}) == 8


def test_names_headers_and_attributes_of_the_environment_are_heeded(
    run: Path, got: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "nightly")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "team=blue")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=open%20sesame")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    with recording(collector.open_trace(run)):
        work()
    spans = received(got)
    assert {s["key"] for s in spans} == {"open sesame"}
    assert {(s["resource"]["service.name"], s["resource"]["team"]) for s in spans} == {("nightly", "blue")}


def test_a_secret_is_neither_written_nor_sent_wherever_it_stands(
    run: Path, got: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEACHER_API_KEY", SECRET)
    with recording(collector.open_trace(run)):
        hide("a key by another name")
        with span(f"tool {SECRET}", said=f"({SECRET})"), span("step", key="a key by another name"):
            with span("leaf"):
                pass
            noted = [s for s in Spans.open(run).roots() if not s.ended]
    assert [s.attributes for s in noted] == [{"said": "(***)"}]
    for text in (run.read_bytes().decode("utf-8", "replace"), got.read_text()):
        assert "secret" not in text
        assert "another name" not in text
    assert {s["name"] for s in received(got)} == {"tool ***", "step", "leaf"}


@pytest.mark.slow
@pytest.mark.parametrize("status", ["503", "400", "gone"])
def test_a_collector_that_takes_nothing_costs_one_warning_and_no_span(
    status: str, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(collector, "FAREWELL", 1.5)
    monkeypatch.setattr(collector, "PAUSE", 0.01)
    with contextlib.ExitStack() as stack:
        where = "http://127.0.0.1:9" if status == "gone" else stack.enter_context(receiving(tmp_path / "no", status))
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", where)
        with caplog.at_level(logging.WARNING, logger="evolvent"):
            since = time.perf_counter()
            with recording(collector.open_trace(run)):
                for _ in range(50):
                    work()
                assert time.perf_counter() - since < 1
            assert time.perf_counter() - since < 4
    assert Spans.open(run).count() == 200
    said = [r.getMessage() for r in caplog.records if r.name.startswith("evolvent")]
    assert len(said) == 1
    assert f"collector {where} does not get every span" in said[0]


def test_a_collector_that_hangs_holds_up_neither_a_step_nor_the_end(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "FAREWELL", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
        since = time.perf_counter()
        with recording(collector.open_trace(run)):
            work()
        assert time.perf_counter() - since < 3


@pytest.mark.slow
def test_a_collector_that_comes_late_gets_everything(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setattr(collector, "PAUSE", 0.05)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    with recording(collector.open_trace(run)), caplog.at_level(logging.WARNING, logger="evolvent"):
        work()
        until(lambda: bool(caplog.records))
        with receiving(tmp_path / "got.jsonl", "200", str(port)):
            work()
            until(lambda: len(received(tmp_path / "got.jsonl")) == 8)


@pytest.mark.parametrize(
    ("variables", "where"),
    [
        ({}, ""),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, ""),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"}, "http://a"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b/t"}, "http://b/t"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_SDK_DISABLED": "TRUE"}, ""),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_TRACES_EXPORTER": "none"}, ""),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_TRACES_EXPORTER": "console, otlp"}, "http://a"),
    ],
)
def test_nothing_is_sent_unless_the_environment_names_a_collector(variables: dict[str, str], where: str) -> None:
    assert collector.address(variables) == where


def test_a_finished_run_is_sent_by_one_command(
    run: Path, got: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (run.parent / "session.json").write_text(json.dumps(SESSION))
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    with recording(collector.open_trace(run)):
        work()
    monkeypatch.delenv("OTEL_SDK_DISABLED")
    assert call(monkeypatch, "trace", "send", "--run", run.parent) == 0
    assert "4 steps sent to http://127.0.0.1:" in capsys.readouterr().out
    assert len(received(got)) == 4


SESSION = {
    "status": "finished",
    "pid": -1,
    "session": {"name": "mini", "scenario": "0" * 64, "seed": 3, "limit": None, "graph": "g", "settings": {}},
}


def test_sending_without_a_collector_says_what_to_set(run: Path) -> None:
    with recording(collector.open_trace(run)):
        work()
    with pytest.raises(UsageError, match="try: export OTEL_EXPORTER_OTLP_ENDPOINT"):
        collector.send(Spans.open(run), {})
    with pytest.raises(UsageError, match="'http/json' is not spoken here; use http/protobuf or grpc"):
        collector.send(
            Spans.open(run),
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"},
        )


def test_sending_to_a_collector_that_refuses_says_so(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with recording(collector.open_trace(run)):
        work()
    with receiving(tmp_path / "no", "401") as address:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        with pytest.raises(UnavailableError, match="takes no spans after 0"):
            collector.send(Spans.open(run), os.environ)
