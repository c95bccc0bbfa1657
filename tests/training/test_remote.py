"""Two engines and one server of somebody else: what one does to its weights the other must know."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from evolvent.memory.errors import UnavailableError
from evolvent.memory.inference import Engine, Request
from evolvent.training.engines.transformers import Transformers
from evolvent.training.engines.vllm import Vllm
from evolvent.training.serving import address
from evolvent.training.serving.host import hosting
from evolvent.training.serving.proof import prove
from evolvent.training.serving.weights import read
from evolvent.training.serving.wire import Wire

from .impostor import Impostor, serving
from .students import make_adapter, train

pytestmark = pytest.mark.slow

PROMPTS = ("1+2", "31+45", "9*3", "74-21")


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained one; beside it lies what it was trained from."""
    made = tmp_path_factory.mktemp("student")
    train(made, steps=20)
    return made / "model"


@pytest.fixture
def impostor(student: Path) -> Iterator[Impostor]:
    with serving(Impostor(student), address.new()) as served:
        yield served


def say(engine: Engine) -> list[str]:
    return [c.text for c in asyncio.run(engine.answer([Request(p, 8) for p in PROMPTS]))]


def test_two_open_engines_at_one_url_each_answer_with_their_own_weights(
    impostor: Impostor, student: Path, tmp_path: Path
) -> None:
    before = student.parent / "untrained"
    with hosting(tmp_path):
        one, two = (Vllm(url=impostor.url).open(path) for path in (student, before))
        first, second, again = say(one), say(two), say(one)
    assert first == again == say(Transformers().open(student)) != second
    assert second == say(Transformers().open(before))


def test_a_later_session_loads_the_same_adapter_again(impostor: Impostor, student: Path, tmp_path: Path) -> None:
    adapter, merged = make_adapter(student, tmp_path / "made", 1)
    for session in ("one", "two"):
        with hosting(tmp_path / session):
            assert say(Vllm(url=impostor.url, rank=8).open(adapter)) == say(Transformers().open(merged))
    assert sum(name.startswith("evolvent-") for name in impostor.models) == 1


def test_adapters_of_somebody_else_are_let_alone(impostor: Impostor, student: Path, tmp_path: Path) -> None:
    impostor.models["theirs"] = impostor.models["student"]
    with hosting(tmp_path):
        say(Vllm(url=impostor.url).open(student))
    assert "theirs" in impostor.models


def test_a_server_with_the_right_weights_is_asked_to_load_nothing(
    impostor: Impostor, student: Path, tmp_path: Path
) -> None:
    with hosting(tmp_path):
        say(Vllm(url=impostor.url).open(student))
    assert not {"/collective_rpc", "/v1/load_lora_adapter"} & set(impostor.calls)


class Seen(type(Path())):
    """A folder that knows which threads looked into it."""

    threads: ClassVar[set[threading.Thread]] = set()

    def __fspath__(self) -> str:
        self.threads.add(threading.current_thread())
        return super().__fspath__()


async def test_the_weights_on_disk_are_loaded_beside_the_event_loop(impostor: Impostor, student: Path) -> None:
    weights = replace(read(student), base=Seen(student))
    async with Wire(impostor.url) as wire:
        await prove(wire, "student", weights, dtype="float32")
    assert Seen.threads
    assert threading.current_thread() not in Seen.threads


def test_a_server_that_cannot_load_says_what_it_needs(impostor: Impostor, student: Path, tmp_path: Path) -> None:
    impostor.broken = {"/collective_rpc"}
    with hosting(tmp_path), pytest.raises(UnavailableError, match="start it with VLLM_SERVER_DEV_MODE=1"):
        say(Vllm(url=impostor.url).open(student.parent / "untrained"))
