import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from evolvent.scenarios.schema import Student
from evolvent.training.engines.vllm import Vllm
from evolvent.training.serving import address, looking

from .impostor import Impostor, serving
from .students import prepare


def levels(engine: Vllm, *, rank: int) -> dict[str, str]:
    return {finding.about: finding.level for finding in engine.look("student", Student(), rank=rank)}


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[Impostor]:
    with serving(Impostor(prepare(tmp_path, [])), address.new()) as served:
        yield served


@pytest.mark.slow
def test_a_server_of_somebody_else_is_asked_for_the_route_that_rounds_need(impostor: Impostor) -> None:
    engine = Vllm(url=impostor.url)
    assert levels(engine, rank=8) == {"engine vllm": "ok", "LoRA route": "ok"}
    assert levels(engine, rank=0) == {"engine vllm": "ok", "weights route": "ok"}
    assert {path for path in impostor.calls if path != "/v1/completions"} == {looking.ADAPTERS, looking.WEIGHTS}


@pytest.mark.slow
def test_a_server_without_the_route_is_said_how_to_start(impostor: Impostor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "ADAPTERS", "/v1/nowhere")
    found = asyncio.run(looking.elsewhere(impostor.url, rank=8))[-1]
    assert (found.about, found.level) == ("LoRA route", "fail")
    assert found.remedy == "start it with VLLM_ALLOW_RUNTIME_LORA_UPDATING=1 and --enable-lora"


def test_a_server_that_is_not_there_is_one_failure() -> None:
    assert levels(Vllm(url="http://127.0.0.1:9"), rank=0) == {"engine vllm": "fail"}
