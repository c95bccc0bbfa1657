"""A real server, started once and handed from test to test: they run in this order."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from evolvent.memory.inference import Completion, Request
from evolvent.training import checkpoint
from evolvent.training.engine import EnginePart
from evolvent.training.engines.transformers import Transformers
from evolvent.training.engines.vllm import ROLE, Vllm
from evolvent.training.serving import child
from evolvent.training.serving.host import Host, hosting
from evolvent.training.serving.proof import Mismatch, prove
from evolvent.training.serving.server import Server
from evolvent.training.serving.weights import read
from evolvent.training.serving.wire import Wire

from .students import make_adapter, make_mini, make_tasks, train

pytestmark = [pytest.mark.slow, pytest.mark.vllm]

VLLM = Vllm(rank=8)
RANDOM = ("1+2", "31+45", "9*3", "74-21", "5", "80+11", "3*3*3", "12-")
CLIENT = """
import asyncio, os, signal, sys
from pathlib import Path
from evolvent.memory.inference import Request
from evolvent.training.engines.vllm import Vllm
from evolvent.training.serving.host import hosting
with hosting(Path(sys.argv[1])):
    asyncio.run(Vllm(rank=8).open(Path(sys.argv[2])).answer([Request("1+2", 8)]))
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serving")


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained one; beside it lies what it was trained from."""
    made = tmp_path_factory.mktemp("student")
    train(made, steps=200, tasks=make_tasks(400))
    return made / "model"


@pytest.fixture(scope="module")
def host(folder: Path, student: Path) -> Iterator[Host]:
    """The host of a later session: the one that started the server was killed."""
    killed = subprocess.run([sys.executable, "-c", CLIENT, str(folder), str(student)], capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with hosting(folder) as found:
        yield found


def ask(part: EnginePart, path: Path, prompts: Sequence[str] = RANDOM) -> list[Completion]:
    engine = part.open(path)
    answers = asyncio.run(engine.answer([Request(p, 12) for p in prompts]))
    engine.close()
    return answers


def server_of(host: Host) -> Server:
    return host.servers[ROLE]


def make_tied(folder: Path, seed: int) -> Path:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from evolvent.training import student

    student.build(make_mini().student, folder / "untied", seed=seed)
    config = LlamaConfig.from_pretrained(folder / "untied")
    config.tie_word_embeddings = True
    torch.manual_seed(seed)
    _, tokenizer = checkpoint.load(folder / "untied")
    checkpoint.save(LlamaForCausalLM(config), tokenizer, folder / "tied")
    return folder / "tied"


def test_a_server_whose_client_was_killed_is_adopted(host: Host, folder: Path, student: Path) -> None:
    left = child.read(folder / ROLE / "process")
    assert left is not None
    assert child.alive(left)
    assert ask(VLLM, student) == ask(Transformers(), student)
    assert child.read(folder / ROLE / "process") == left
    assert server_of(host).starts == 0


def test_greedy_answers_and_forced_ones_are_those_of_the_process_itself(host: Host, student: Path) -> None:
    tasks = make_tasks(400, part="report")
    served, own = (ask(part, student, [t.prompt for t in tasks]) for part in (VLLM, Transformers()))
    assert sum(a == b for a, b in zip(served, own, strict=True)) >= 0.99 * len(tasks)
    pairs = [(t.prompt, t.answer) for t in tasks]
    forced = asyncio.run(VLLM.open(student).agrees(pairs))
    assert sum(
        a == b for a, b in zip(forced, (a.text == t.answer for a, t in zip(own, tasks, strict=True)), strict=True)
    ) >= 0.99 * len(tasks)
    assert 0 < sum(forced) < len(tasks)


def test_full_weights_are_swapped_without_a_new_start(host: Host, student: Path) -> None:
    before = student.parent / "untrained"
    for path in (before, student, before):
        assert ask(VLLM, path) == ask(Transformers(), path)
    assert ask(VLLM, before) != ask(VLLM, student)
    assert server_of(host).starts == 0


def test_adapters_come_and_go_and_the_base_stays(host: Host, folder: Path, student: Path, tmp_path: Path) -> None:
    made = [make_adapter(student, tmp_path / str(seed), seed) for seed in range(3)]
    for adapter, merged in made:
        assert ask(VLLM, adapter) == ask(Transformers(), merged) != ask(VLLM, student)
    assert ask(VLLM, student) == ask(Transformers(), student)
    assert server_of(host).starts == 0


def test_sampling_is_fixed_by_its_seed(host: Host, student: Path) -> None:
    engine = VLLM.open(student)

    def sample(seed: int) -> list[Completion]:
        return asyncio.run(engine.answer([Request(p, 12, temperature=1.0, seed=seed) for p in RANDOM]))

    assert sample(0) == sample(0) != sample(1)


def test_weights_that_were_swapped_behind_the_back_are_found_out(host: Host, folder: Path, student: Path) -> None:
    ask(VLLM, student)
    url = server_of(host).url
    other = {"method": "reload_weights", "kwargs": {"weights_path": str(student.parent / "untrained")}}

    async def swap_and_prove() -> None:
        async with Wire(url) as wire:
            await prove(wire, "student", read(student), dtype="float32")
            await wire.post("/collective_rpc", other, seconds=60)
            await prove(wire, "student", read(student), dtype="float32")

    with pytest.raises(Mismatch, match="the server holds other weights"):
        asyncio.run(swap_and_prove())


def test_tied_embeddings_are_found_out_and_cost_a_new_start(host: Host, student: Path, tmp_path: Path) -> None:
    one, two = make_tied(tmp_path / "1", 1), make_tied(tmp_path / "2", 2)
    assert ask(VLLM, one) == ask(Transformers(), one)
    starts = server_of(host).starts
    assert ask(VLLM, two) == ask(Transformers(), two)
    assert server_of(host).starts == starts + 1


def test_closing_the_host_leaves_no_process(host: Host, folder: Path, student: Path) -> None:
    left = child.read(folder / ROLE / "process")
    assert left is not None
    host.close()
    assert child.members(left.pid) == []
