"""Hostile code in the sandbox, behind every kind of walls that can be asked for here. 0 escapes, 0 survivors."""

import inspect
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from evolvent.scenarios.sandbox.sandbox import Job, Sandbox

from . import probes
from .boxes import WAYS, survivors, walls

MARKER = "what only the tests know"
REFERENCE = "def double(x):\n    return 2 * x"
TESTS = "assert double(2) == 4\nassert double(5) == 10\nassert all([double(-1) == -2])"
PROBES = [probe for _, probe in inspect.getmembers(probes, inspect.isfunction) if probe.__module__ == probes.__name__]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What there is to reach: files, sockets and this process."""
    folder = tmp_path_factory.mktemp("host")
    for parent in [folder, *folder.parents][:4]:
        if parent.stat().st_uid == os.getuid() and parent != Path("/tmp"):
            parent.chmod(0o755)
    (folder / "secret").write_text("escaped")
    (folder / "secret").chmod(0o600)
    (folder / "open").write_text("escaped")
    (folder / "open").chmod(0o666)
    abstract = f"evolvent-{os.getpid()}"
    with ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        named = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        named.bind(str(folder / "socket"))
        (folder / "socket").chmod(0o777)
        hidden = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        hidden.bind(f"\0{abstract}")
        for door in (tcp, named, hidden):
            door.listen()
            door.setblocking(False)
        udp.setblocking(False)
        yield {
            "folder": str(folder),
            "secret": str(folder / "secret"),
            "open": str(folder / "open"),
            "tcp": tcp.getsockname()[1],
            "udp": udp.getsockname()[1],
            "socket": str(folder / "socket"),
            "abstract": abstract,
            "pid": os.getpid(),
            "uid": os.getuid(),
            "reversed": MARKER[::-1],
        }
        for door in (tcp, named, hidden):
            with pytest.raises(BlockingIOError):
                door.accept()
        with pytest.raises(BlockingIOError):
            udp.recv(1)


@pytest.fixture(params=WAYS)
def box(request: pytest.FixtureRequest) -> Sandbox:
    return walls(request.param, seconds=20)


def test_the_suite_is_as_large_as_it_should_be() -> None:
    assert len(PROBES) >= 40
    assert len(PROBES) + len(probes.CHEATS) + len(probes.STALLS) >= 80


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.__name__)
def test_code_in_the_sandbox_does_not_get_out(
    box: Sandbox, probe: Callable[..., str], host: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVOLVENT_KEY", "escaped")
    before = {path: path.read_bytes() for path in Path(host["folder"]).iterdir() if path.is_file()}
    tests = f"# {MARKER}\ndef check(candidate):\n    result = candidate({host!r})\n    assert result == 'held', result"
    source = inspect.getsource(probe)
    outcome = box.run(Job(prompt="", answer=source, reference=source, tests=tests))
    assert outcome.status == "passed", f"{outcome.tier}: {outcome.reason} {outcome.printed}"
    assert {path: path.read_bytes() for path in Path(host["folder"]).iterdir() if path.is_file()} == before
    assert survivors() == []


@pytest.mark.parametrize(
    "probe",
    [
        probes.reads_a_secret,
        probes.reads_keys_from_the_environment,
        probes.reads_environments_of_processes,
        probes.goes_through_proc_root,
        probes.lists_folders_of_the_machine,
        probes.climbs_out_by_folder_handles,
        probes.signals_others,
        probes.signals_by_a_handle,
        probes.starts_processes,
        probes.takes_memory_that_nobody_counts,
    ],
    ids=lambda probe: probe.__name__,
)
def test_without_a_sandbox_a_probe_gets_out(
    probe: Callable[..., str], host: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVOLVENT_KEY", "escaped")
    source = f"{inspect.getsource(probe)}\nprint({probe.__name__}({host!r}))"
    run = subprocess.run([sys.executable, "-I", "-S", "-c", source], capture_output=True, text=True, check=False)
    assert run.stdout.strip() != "held"


@pytest.mark.parametrize("name", probes.CHEATS)
def test_a_cheat_does_not_pass(box: Sandbox, name: str) -> None:
    job = Job(prompt="", answer=probes.CHEATS[name], reference=REFERENCE, tests=TESTS)
    outcome = box.model_copy(update={"seconds": 4}).run(job)
    assert outcome.status == "failed"
    assert outcome.reason.isprintable()
    assert len(outcome.reason) <= 500
    assert survivors() == []


@pytest.mark.parametrize("name", probes.STALLS)
def test_what_does_not_end_is_ended(box: Sandbox, name: str) -> None:
    job = Job(prompt="", answer=probes.STALLS[name], reference=REFERENCE, tests=TESTS)
    outcome = box.model_copy(update={"seconds": 1}).run(job)
    assert outcome.status == "failed"
    assert len(outcome.printed) <= 1 << 16
    assert survivors() == []
