"""What a server does when what an earlier session left is not as it should be; processes are small impostors."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from evolvent.memory.files import write_json
from evolvent.training.serving import address, child
from evolvent.training.serving.launch import Launch
from evolvent.training.serving.server import NOTE, RECORD, Server
from evolvent.training.serving.weights import Weights, read

from .impostor import Impostor, serving
from .students import train

pytestmark = pytest.mark.slow


class Small(Launch):
    """Starts an impostor instead of vLLM."""

    def command(self, weights: Weights, socket: Path) -> list[str]:
        return [sys.executable, "-m", "evolvent.tests.training.impostor", str(socket), str(weights.base)]


LAUNCH = Small(build="none", dtype="float32", threads=1, cache=1, share=0.4, rank=0, arguments=(), start=60)


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained one; beside it lies what it was trained from."""
    made = tmp_path_factory.mktemp("student")
    train(made, steps=20)
    return made / "model"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "serving", LAUNCH)
    made.folder.mkdir()
    yield made
    made.stop()


def bring(server: Server, path: Path) -> str:
    async def serve() -> str:
        async with server.serving(read(path)) as (_, name):
            return name

    return asyncio.run(serve())


def leave(server: Server, url: str, student: Path, launch: Launch = LAUNCH) -> child.Identity:
    """What a killed session leaves: a process, and where it answers."""
    record = {"url": url, "identity": launch.identity(read(student)), "sleep": launch.sleep}
    write_json(server.folder / RECORD, record)
    return child.spawn(["/bin/sleep", "600"], server.folder / NOTE, server.log, {})


def test_a_server_that_answers_is_taken_over(server: Server, student: Path) -> None:
    with serving(Impostor(student), address.new()) as impostor:
        left = leave(server, impostor.url, student)
        assert bring(server, student) == "student"
        assert (server.starts, child.alive(left)) == (0, True)


@pytest.mark.parametrize("path", ["/v1/models", "/collective_rpc"])
def test_a_server_that_cannot_be_taken_over_is_replaced(server: Server, student: Path, path: str) -> None:
    with serving(Impostor(student), address.new()) as impostor:
        impostor.broken = {path}
        left = leave(server, impostor.url, student)
        assert bring(server, student) == "student"
    assert (server.starts, child.alive(left)) == (1, False)


def test_a_server_that_is_lost_between_two_students_is_started_anew_once(server: Server, student: Path) -> None:
    bring(server, student)
    address.path_of(server.url).unlink()
    bring(server, student.parent / "untrained")
    assert server.starts == 2


def test_stopping_leaves_neither_process_nor_socket(server: Server, student: Path) -> None:
    bring(server, student)
    left, folder = child.read(server.note), address.path_of(server.url).parent
    assert left is not None
    server.stop()
    assert (child.members(left.pid), folder.exists(), (server.folder / RECORD).exists()) == ([], False, False)
