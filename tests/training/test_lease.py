"""Rounds trained by a process of their own: found again, started again, ended, and the same in the end."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from evolvent.memory.errors import EvolventError, PartError
from evolvent.memory.parts import PartSpec
from evolvent.memory.stopping import STOP, Stopped
from evolvent.training import checkpoint, launcher, lease
from evolvent.training.round import ORDER, Order
from evolvent.training.serving import child
from evolvent.training.trainer import Trained, read_metrics, write_result

from . import students

HOURS: dict[str, Any] = {"batch": 4, "most_steps": 10**6, "epochs": 10**6, "args": {"logging_steps": 1}}
"""Settings with which a round does not end by itself."""


def make_order(start: Path, *, steps: int | None = 3, **settings: Any) -> Order:
    spec = PartSpec(name="sft", settings={"batch": 32, "learning_rate": 1e-2, **settings})
    return Order(trainer=spec, verifier=PartSpec(name="exact"), start=start, seed=0, steps=steps)


def prepare_round(folder: Path) -> Path:
    return students.prepare(folder, students.make_tasks(96))


async def wait_for(path: Path) -> None:
    while not path.is_file() or not path.read_text():
        await asyncio.sleep(0.02)


async def holder(folder: Path) -> child.Identity:
    await wait_for(folder / lease.LEASE)
    found = child.read(folder / lease.LEASE)
    assert found
    return found


@pytest.mark.slow
async def test_a_process_makes_the_weights_that_training_inline_makes(tmp_path: Path) -> None:
    inline = students.train(tmp_path / "inline")
    start = prepare_round(tmp_path / "child")
    done = await lease.train(tmp_path / "child", make_order(start))
    assert checkpoint.identify(tmp_path / "child" / "model") == inline
    assert (done.steps, done.tokens > 0) == (3, True)
    metrics = [(tmp_path / f / "metrics.jsonl").read_text() for f in ("inline", "child")]
    assert metrics[0] == metrics[1] != ""
    assert not any((tmp_path / "child" / name).exists() for name in (lease.LEASE, lease.LOCK))


@pytest.mark.slow
async def test_a_process_whose_orchestrator_was_killed_is_waited_for_and_no_second_is_started(tmp_path: Path) -> None:
    start = prepare_round(tmp_path)
    (tmp_path / "first.json").write_text(make_order(start).model_dump_json())
    program = (
        "import asyncio, sys; from pathlib import Path; from evolvent.training.lease import train, Order\n"
        "folder = Path(sys.argv[1]); order = Order.model_validate_json((folder / 'first.json').read_text())\n"
        "asyncio.run(train(folder, order))"
    )
    orchestrator = subprocess.Popen([sys.executable, "-c", program, tmp_path], start_new_session=True)
    found = await holder(tmp_path)
    os.killpg(orchestrator.pid, signal.SIGKILL)
    orchestrator.wait()
    assert child.alive(found)
    assert lease.left(tmp_path)
    # an order that cannot be carried out: only the process that runs already can give a result
    done = await lease.train(tmp_path, make_order(tmp_path / "nowhere"))
    assert (done.steps, child.members(found.pid)) == (3, [])


@pytest.mark.slow
async def test_a_process_that_was_killed_is_started_again_once(tmp_path: Path) -> None:
    order = make_order(prepare_round(tmp_path))
    training = asyncio.create_task(lease.train(tmp_path, order))
    first = await holder(tmp_path)
    os.kill(first.pid, signal.SIGKILL)
    done = await training
    assert done.steps == 3
    assert checkpoint.identify(tmp_path / "model") == students.train(tmp_path / "inline")


@pytest.mark.slow
async def test_a_process_that_is_killed_every_time_ends_the_round_with_the_logs_last_line(tmp_path: Path) -> None:
    order = make_order(prepare_round(tmp_path))
    with pytest.raises(EvolventError, match=r"ended 2 times without a result.*training.log ends with: gone$"):
        await lease.train(tmp_path, order, launch=("sh", "-c", "echo; echo gone; kill -9 $$"))


@pytest.mark.slow
async def test_a_failure_is_one_line_that_says_where_the_log_is(tmp_path: Path) -> None:
    prepare_round(tmp_path)
    with pytest.raises(EvolventError) as failed:
        await lease.train(tmp_path, make_order(tmp_path / "nowhere"))
    said = str(failed.value)
    assert "nowhere: no such folder" in said
    assert said.endswith(f"its log is {tmp_path / lease.LOG}")
    assert "\n" not in said
    assert "Traceback" in (tmp_path / lease.LOG).read_text()
    assert not lease.left(tmp_path)


@pytest.mark.slow
async def test_a_session_that_is_asked_to_stop_ends_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = make_order(prepare_round(tmp_path), steps=None, **HOURS)
    training = asyncio.create_task(lease.train(tmp_path, order))
    found = await holder(tmp_path)
    await wait_for(tmp_path / "metrics.jsonl")
    monkeypatch.setattr(STOP, "code", 143)
    with pytest.raises(Stopped):
        await training
    assert child.members(found.pid) == []


@pytest.mark.slow
async def test_workers_whose_launcher_died_are_ended_before_the_round_starts_over(tmp_path: Path) -> None:
    worker = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    found = child.spawn([sys.executable, "-c", worker], tmp_path / lease.LEASE, tmp_path / lease.LOG, os.environ)
    until = time.monotonic() + 20
    while child.alive(found) and time.monotonic() < until:
        await asyncio.sleep(0.02)
    assert child.members(found.pid) != []
    assert not lease.left(tmp_path)
    assert child.members(found.pid) == []


@pytest.mark.slow
async def test_two_processes_of_a_launcher_train_the_model_that_one_would(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    order = make_order(prepare_round(tmp_path))
    await lease.train(tmp_path, order, launch=("torchrun", "--nproc-per-node", "2"))
    students.train(tmp_path / "inline")
    together, alone = (read_metrics(folder) for folder in (tmp_path, tmp_path / "inline"))
    assert [entry["loss"] for entry in together] == pytest.approx([entry["loss"] for entry in alone], rel=1e-4)
    assert [entry["num_tokens"] for entry in together] == [entry["num_tokens"] for entry in alone]
    made, wanted = (load_file(folder / "model" / "model.safetensors") for folder in (tmp_path, tmp_path / "inline"))
    assert all(torch.allclose(made[name], wanted[name], atol=1e-3) for name in wanted)


def test_a_folder_that_holds_a_result_is_gone_on_with_and_an_empty_one_is_not(tmp_path: Path) -> None:
    assert not lease.left(tmp_path)
    (tmp_path / ORDER).touch()
    assert not lease.left(tmp_path)
    (tmp_path / "round.json").touch()
    assert lease.left(tmp_path)


async def test_what_a_process_left_before_anybody_came_back_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / lease.LEASE).write_text("999999999 (python) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 7")
    write_result(tmp_path, Trained(steps=3, tokens=9, loss=0.5, seconds=1.0))
    assert await lease.train(tmp_path, make_order(tmp_path / "nowhere")) == Trained(3, 9, 0.5, 1.0)
    assert not (tmp_path / lease.LOG).exists()


def test_a_launcher_stands_before_the_module_that_trains(tmp_path: Path) -> None:
    bare = launcher.command((), tmp_path)
    assert bare == [sys.executable, "-m", "evolvent.training.round", str(tmp_path)]
    launched = launcher.command(("accelerate", "launch", "--cpu"), tmp_path)
    assert Path(launched[0]).name == "accelerate"
    assert launched[1:] == ["launch", "--cpu", *bare[1:]]


def test_a_launcher_that_is_not_there_or_not_allowed_is_refused_with_the_way_out(tmp_path: Path) -> None:
    assert launcher.refusals(("accelerate", "launch"), allowed=True) == []
    assert "allow it with --allow-import" in launcher.refusals(("accelerate",), allowed=False)[0]
    assert "no program 'acelerate'" in launcher.refusals(("acelerate",), allowed=True)[0]
    with pytest.raises(PartError, match="no program 'acelerate'"):
        launcher.command(("acelerate",), tmp_path)


def write_config(folder: Path, kind: str, *more: str) -> Path:
    """What `accelerate config` writes for two processes on this machine's CPU."""
    path = folder / f"{kind}.yaml"
    lines = (f"distributed_type: {kind}", "use_cpu: true", "num_machines: 1", "num_processes: 2", "machine_rank: 0")
    path.write_text("\n".join(["compute_environment: LOCAL_MACHINE", *lines, "mixed_precision: 'no'", *more, ""]))
    return path


SHARDED = ("fsdp_config:", "  fsdp_version: 2", "  fsdp_auto_wrap_policy: TRANSFORMER_BASED_WRAP")


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "more"), [("MULTI_CPU", ()), ("FSDP", SHARDED)])
async def test_processes_of_accelerate_train_the_model_that_one_would_its_weights_shared_out_or_not(
    tmp_path: Path, kind: str, more: tuple[str, ...]
) -> None:
    import torch
    from safetensors.torch import load_file

    order = make_order(prepare_round(tmp_path))
    config = write_config(tmp_path, kind, *more)
    done = await lease.train(tmp_path, order, launch=("accelerate", "launch", "--config_file", str(config)))
    students.train(tmp_path / "inline")
    assert done.steps == 3
    made, wanted = (load_file(folder / "model" / "model.safetensors") for folder in (tmp_path, tmp_path / "inline"))
    assert sorted(made) == sorted(wanted)
    assert all(torch.allclose(made[name], wanted[name], atol=1e-3) for name in wanted)


@pytest.mark.slow
async def test_an_adapter_that_was_trained_on_weights_shared_out_is_whole(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    order = make_order(prepare_round(tmp_path), lora={"rank": 8})
    config = write_config(tmp_path, "FSDP", *SHARDED)
    await lease.train(tmp_path, order, launch=("accelerate", "launch", "--config_file", str(config)))
    held = load_file(tmp_path / "model" / "adapter_model.safetensors")
    assert checkpoint.adapted(tmp_path / "model")
    assert {8} == {min(tensor.shape) for tensor in held.values()}
    assert all(float(tensor.abs().sum()) > 0 for tensor in held.values())
