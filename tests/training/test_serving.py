import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from evolvent.memory.errors import UnavailableError
from evolvent.memory.stopping import STOP, Stopped
from evolvent.training.engines.vllm import Vllm
from evolvent.training.serving import launch
from evolvent.training.serving.launch import Launch
from evolvent.training.serving.loading import Held
from evolvent.training.serving.requirements import needed
from evolvent.training.serving.weights import Weights, read
from evolvent.training.serving.wire import BOUND, Refused, Wire


def make_launch(*, rank: int = 0) -> Launch:
    return Launch(build="cpu 0.31.0", dtype="float32", threads=1, cache=1, share=0.4, rank=rank, arguments=(), start=60)


def make_student(folder: Path, *, heads: int = 1, seed: int = 0) -> Path:
    """What serving looks at before anything is loaded."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"hidden_size": 32, "num_attention_heads": heads}))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(bytes([seed]))
    return folder


def make_adapter(folder: Path, base: str) -> Path:
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base, "r": 4}))
    (folder / "adapter_model.safetensors").write_bytes(b"tensors")
    return folder


def test_text_needs_neither_pictures_nor_sound() -> None:
    listed = ["torch==2.13.0+cpu", "torchvision", "numpy", "mistral_common[image]>=1.11", 'zen; extra == "zen"']
    assert needed([*listed, 'six; python_version < "3"', "fastapi[standard]<1"]) == [
        "numpy",
        "mistral_common>=1.11",
        "fastapi[standard]<1",
    ]


def test_students_of_one_shape_share_a_server_whatever_their_weights(tmp_path: Path) -> None:
    one, two = (read(make_student(tmp_path / str(seed), seed=seed)) for seed in (1, 2))
    other = read(make_student(tmp_path / "other", heads=2))
    assert one.digest != two.digest
    assert make_launch().identity(one) == make_launch().identity(two) != make_launch().identity(other)


def test_heads_that_the_cpu_build_cannot_compute_are_refused_before_a_server_starts(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"attention heads 16 wide.*choose student.hidden and student.heads"):
        make_launch().check(read(make_student(tmp_path / "narrow", heads=2)))
    make_launch().check(read(make_student(tmp_path / "wide")))


def test_an_adapter_larger_than_the_server_has_room_for_names_the_setting(tmp_path: Path) -> None:
    adapter = read(make_adapter(tmp_path / "adapter", str(make_student(tmp_path / "base"))))
    with pytest.raises(UnavailableError, match=r"rank 4.*set student.engine.rank = 8"):
        make_launch(rank=1).check(adapter)
    make_launch(rank=8).check(adapter)


@pytest.mark.parametrize(
    "argument",
    ["--host=0.0.0.0", "--port", "--uds=/tmp/x", "--trust_remote_code", "--trust-remote-code=true",
     "--served_model_name=x", "--dtype=auto", "--ho=0.0.0.0", "--no-enforce-eager", "--Middleware=x.y",
     "--worker-cls.x=1"],
)  # fmt: skip
def test_what_evolvent_decides_is_not_for_a_scenario_to_set(argument: str) -> None:
    with pytest.raises(ValidationError, match=r"would set .*, which Evolvent decides itself"):
        Vllm(arguments=("--max-model-len=4096", argument))


@pytest.mark.parametrize("argument", ["0.0.0.0", "-O3", "", "--", "--host 0.0.0.0"])
def test_arguments_have_one_form(argument: str) -> None:
    with pytest.raises(ValidationError, match="is no argument of the form --name=value"):
        Vllm(arguments=(argument,))


def test_every_argument_of_ones_own_command_line_is_refused_to_a_scenario(tmp_path: Path) -> None:
    command = make_launch(rank=8).command(read(make_student(tmp_path / "student")), tmp_path / "socket")
    for argument in command[3:]:
        with pytest.raises(ValidationError, match="which Evolvent decides itself"):
            Vllm(arguments=(argument,))


def test_a_server_sees_what_it_needs_and_nobodys_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {"CUDA_VISIBLE_DEVICES": "0", "LC_ALL": "C", "VLLM_LOGGING_LEVEL": "INFO", "PYTHONPATH": "/x"}
    lost = ["OPENAI_API_KEY", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "VLLM_API_KEY", "PYTHON_TOKEN", "DATABASE_URL"]
    for name, value in (kept | dict.fromkeys(lost, "canary")).items():
        monkeypatch.setenv(name, value)
    seen = make_launch().environment()
    assert kept.items() <= seen.items()
    assert "PATH" in seen
    assert "canary" not in seen.values()


def test_an_adapter_without_its_base_is_not_served(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="'nowhere' is no folder with a student"):
        read(make_adapter(tmp_path / "adapter", "nowhere"))


def test_nothing_counts_as_held_after_a_load_that_went_wrong(tmp_path: Path) -> None:
    weights = Weights(tmp_path, "a", tmp_path, "a", "shape")
    held = Held(full="a")
    held.keep(weights)
    assert (held.name_of(weights), held.proved(weights)) == (launch.NAME, True)
    held.forget()
    assert (held.name_of(weights), held.proved(weights)) == (None, False)


def test_a_configuration_that_is_no_object_is_said(tmp_path: Path) -> None:
    student = make_student(tmp_path / "student")
    (student / "config.json").write_text("[]")
    with pytest.raises(UnavailableError, match="holds no JSON object"):
        read(student)


async def answer(
    text: bytes, path: str = "/v1", *,
    seconds: float = 5.0, bound: int = BOUND, meanwhile: Callable[[], None] = lambda: None,
) -> object:  # fmt: skip
    """What the wire makes of raw bytes from a server that then stays silent."""
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        meanwhile()
        writer.write(text)
        await writer.drain()
        await reader.read()
        writer.close()
        await writer.wait_closed()
        gone.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with Wire(f"http://127.0.0.1:{port}", bound=bound) as wire:
            return await wire.get(path, seconds=seconds)
    finally:
        await gone.wait()
        server.close()


async def test_a_server_that_drips_is_cut_off_at_the_deadline() -> None:
    with pytest.raises(UnavailableError, match="did not answer in"):
        await answer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", seconds=0.1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\nbusy", "answered 500: 'busy'"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{oh}", "not JSON"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{\xff", "not JSON.*\ufffd"),
        (b"HTTP/1.1 307 Away\r\nLocation: /v2\r\nContent-Length: 0\r\n\r\n", "answered 307"),
    ],
)
async def test_what_is_no_answer_is_refused_with_what_was_said(text: bytes, said: str) -> None:
    with pytest.raises(Refused, match=said):
        await answer(text)


async def test_an_answer_without_end_is_refused_at_its_bound() -> None:
    with pytest.raises(Refused, match="answered more than 10 bytes"):
        await answer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"{" * 50, bound=10)


async def test_a_request_to_stop_is_heeded_while_a_server_works(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Stopped):
        await answer(b"", seconds=30, meanwhile=lambda: monkeypatch.setattr(STOP, "code", 130))


async def test_nobody_at_an_address_is_said(unused_tcp_port: int) -> None:
    async with Wire(f"http://127.0.0.1:{unused_tcp_port}") as wire:
        with pytest.raises(UnavailableError, match="is the server up"):
            await wire.get("/v1", seconds=5)
