"""A server that sleeps while a round trains, and what it must show when it wakes; the server is a small impostor."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evolvent.memory.errors import UnavailableError
from evolvent.training.engines.vllm import Vllm
from evolvent.training.evaluations.program import Program
from evolvent.training.serving import address, child
from evolvent.training.serving.host import Host, hosting, resting
from evolvent.training.serving.launch import Launch
from evolvent.training.serving.server import Server
from evolvent.training.serving.weights import Weights, read

from . import students
from .impostor import Impostor, serving
from .test_server import LAUNCH, bring, leave

NOTHING = Weights(Path("nowhere"), "", Path("nowhere"), "", "")
SLEEPY = replace(LAUNCH, sleep=True, rank=16)


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained one; beside it lies what it was trained from."""
    made = tmp_path_factory.mktemp("student")
    students.train(made, steps=20)
    return made / "model"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "serving" / "student", SLEEPY)
    made.folder.mkdir(parents=True)
    yield made
    made.stop()


@pytest.fixture
def impostor(server: Server, student: Path) -> Iterator[Impostor]:
    """A server that was left behind for the student, and is taken over when it is first asked."""
    with serving(Impostor(student), address.new()) as made:
        leave(server, made.url, student, SLEEPY)
        yield made


def rest(server: Server) -> bool:
    return asyncio.run(server.rest())


@pytest.mark.slow
def test_a_server_sleeps_and_wakes_to_the_student_it_had_and_proves_it(
    server: Server, impostor: Impostor, student: Path
) -> None:
    bring(server, student)
    assert rest(server)
    assert (impostor.asleep, server.asleep) == (True, True)
    impostor.calls.clear()
    assert bring(server, student) == "student"
    assert impostor.calls == ["/wake_up", "/v1/completions"]
    assert (impostor.asleep, server.asleep, server.starts) == (False, False, 0)


@pytest.mark.slow
def test_a_server_that_wakes_to_other_weights_is_started_anew(
    server: Server, impostor: Impostor, student: Path
) -> None:
    bring(server, student)
    rest(server)
    impostor.woken = student.parent / "untrained"
    assert bring(server, student) == "student"
    assert server.starts == 1


@pytest.mark.slow
def test_an_adapter_is_unloaded_before_the_sleep_and_loaded_anew_after_it(
    server: Server, impostor: Impostor, student: Path, tmp_path: Path
) -> None:
    adapter, _ = students.make_adapter(student, tmp_path, seed=1)
    before = bring(server, adapter)
    rest(server)
    assert list(impostor.models) == ["student"]
    after = bring(server, adapter)
    assert before != after
    assert set(impostor.models) == {"student", after}


@pytest.mark.slow
def test_a_server_that_cannot_sleep_is_ended_to_make_room(server: Server, impostor: Impostor, student: Path) -> None:
    bring(server, student)
    left = child.read(server.note)
    impostor.broken = {"/sleep"}
    assert left is not None
    assert rest(server)
    assert (child.alive(left), server.url) == (False, "")
    assert bring(server, student) == "student"
    assert server.starts == 1


@pytest.mark.slow
def test_a_server_that_a_killed_session_left_asleep_is_woken_and_taken_over(
    server: Server, impostor: Impostor, student: Path
) -> None:
    impostor.asleep = True
    assert bring(server, student) == "student"
    assert (impostor.asleep, server.starts) == (False, 0)


@pytest.mark.slow
def test_servers_of_a_session_sleep_while_a_round_trains_and_wake_when_they_are_asked(
    server: Server, impostor: Impostor, student: Path
) -> None:
    async def train(host: Host) -> list[bool]:
        host.servers["student"] = server
        async with server.serving(read(student)):
            pass
        async with resting():
            seen = [impostor.asleep]
        async with server.serving(read(student)):
            return [*seen, impostor.asleep]

    with hosting(server.folder.parent) as host:
        assert asyncio.run(train(host)) == [True, False]


@pytest.mark.slow
def test_servers_of_a_session_sleep_while_somebodys_own_evaluation_holds_the_student(
    server: Server, impostor: Impostor, student: Path, tmp_path: Path
) -> None:
    own, run = tmp_path / "own.py", tmp_path / "evaluated"
    own.write_text("import sys\nopen(sys.argv[2], 'w').write('{\"id\": 1, \"score\": 1}')\n")
    run.mkdir()

    async def evaluate(host: Host) -> None:
        host.servers["student"] = server
        async with server.serving(read(student)):
            pass
        await Program(path=str(own)).run(student, run, where="own")

    with hosting(server.folder.parent) as host:
        asyncio.run(evaluate(host))
        assert impostor.asleep


@pytest.mark.slow
@pytest.mark.parametrize("launch", [SLEEPY, LAUNCH], ids=["may sleep", "may not"])
def test_a_server_that_a_killed_session_left_makes_room_before_anybody_asked_it(
    server: Server, student: Path, launch: Launch
) -> None:
    async def train() -> bool:
        async with resting():
            return impostor.asleep

    with serving(Impostor(student), address.new()) as impostor:
        left = leave(server, impostor.url, student, launch)
        impostor.models["evolvent-x-1"] = impostor.models["student"]
        with hosting(server.folder.parent):
            assert asyncio.run(train()) is launch.sleep
            assert ("evolvent-x-1" not in impostor.models) is launch.sleep
            assert child.alive(left)


@pytest.mark.slow
def test_a_server_left_behind_that_cannot_sleep_is_ended_to_make_room(server: Server, impostor: Impostor) -> None:
    async def train() -> bool:
        async with resting():
            return left is not None and child.alive(left)

    left = child.read(server.note)
    impostor.broken = {"/sleep"}
    with hosting(server.folder.parent):
        assert not asyncio.run(train())


def test_a_server_that_was_not_told_to_sleep_or_does_not_run_stays_as_it_is(tmp_path: Path) -> None:
    assert not rest(Server(tmp_path, LAUNCH))
    assert not rest(Server(tmp_path, SLEEPY))


def test_sleep_mode_is_asked_for_on_the_command_line_where_it_is_wanted_alone() -> None:
    for sleep in (True, False):
        launch = Launch("gpu 0.31.0", "float32", 1, 1, 0.4, 0, (), 60.0, sleep)
        assert ("--enable-sleep-mode" in launch.command(NOTHING, Path("socket"))) is sleep


def test_the_build_for_processors_refuses_to_sleep_with_the_way_out() -> None:
    launch = replace(SLEEPY, build="cpu 0.31.0")
    with pytest.raises(UnavailableError, match=r"student.engine.sleep: .*no sleep mode.*leave sleep away"):
        launch.check(NOTHING)


def test_an_engine_says_nothing_of_sleep_unless_it_is_told() -> None:
    assert "sleep" not in Vllm().model_dump()
    assert Vllm(sleep=True).model_dump()["sleep"] is True
