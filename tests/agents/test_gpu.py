"""What a dry run says of a GPU's memory; students have the shapes of real models and no weights."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import evolvent
from evolvent.agents import planning
from evolvent.agents.gpu import Case, Room
from evolvent.agents.ways import WAYS
from evolvent.memory.errors import ScenarioError, UnavailableError
from evolvent.training.engines.transformers import Transformers
from evolvent.training.engines.vllm import Vllm
from evolvent.training.footprint import GIB, Method
from evolvent.training.trainers.grpo import Grpo
from evolvent.training.trainers.sft import Sft

from ..training.brought import make_model
from .test_plan import write_scenario

RECIPE = Path(evolvent.__file__).parent / "scenarios" / "one_gpu.toml"
LOCAL = ['student.revision=""', "student.engine.arguments=[]", "trainer.longest=120"]


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of Qwen3-0.6B, and nothing else of it."""
    from transformers import AutoConfig

    folder = tmp_path_factory.mktemp("qwen")
    AutoConfig.for_model(
        "qwen3", vocab_size=151936, hidden_size=1024, intermediate_size=3072, num_hidden_layers=28,
        num_attention_heads=16, num_key_value_heads=8, head_dim=128, max_position_embeddings=40960,
        tie_word_embeddings=True,
    ).save_pretrained(folder)  # fmt: skip
    return folder


def make_room(folder: Path, engine: Any, *, memory: float | None = 80, taken: float = 0, **settings: Any) -> Room:
    method = Method(Sft.model_validate({"longest": 512, "batch": 8, **settings}), "bfloat16")
    return Room("qwen", Case(folder, engine, method, 0), memory and memory * GIB, taken * GIB)


def test_every_phase_is_told_and_what_it_comes_to_on_this_gpu(qwen: Path) -> None:
    room = make_room(qwen, Vllm(rank=16, dtype="bfloat16"), lora={"rank": 16})
    said = "\n".join(room.lines())
    assert "596.0 million parameters in bfloat16, an adapter of 10.1 million" in said
    assert "serve  32.0 GiB (keys and values " in said
    assert "train  at most " in said
    assert "the server keeps its share while a round trains" in said
    assert "fits: at most " in room.lines()[-1]
    assert room.facts()["fits"] is True
    assert room.facts()["peak"] == pytest.approx(sum(room.facts()["train"].values()) + 0.4 * 80 * GIB)


def test_a_server_that_sleeps_leaves_the_gpu_to_the_training(qwen: Path) -> None:
    awake, asleep = (make_room(qwen, Vllm(dtype="bfloat16", sleep=sleep)) for sleep in (False, True))
    assert awake.facts()["peak"] > asleep.facts()["peak"] == pytest.approx(32 * GIB)
    assert "sleeps while a round trains" in "\n".join(asleep.lines())


def test_what_does_not_fit_is_said_with_the_settings_that_make_it_fit(qwen: Path) -> None:
    room = make_room(qwen, Vllm(dtype="bfloat16"), memory=48, batch=16)
    last = room.lines()[-1]
    assert "DOES NOT FIT: " in last
    assert "set student.engine.sleep = true" in last
    assert make_room(qwen, Vllm(dtype="bfloat16", sleep=True), memory=48, batch=16).facts()["fits"]


def test_a_batch_too_large_is_cut_into_steps_that_are_added_up(qwen: Path) -> None:
    said = make_room(qwen, Transformers(batch=8), memory=24, batch=64).lines()[-1]
    batch = int(said.split("trainer.batch = ")[1].split()[0])
    assert f"gradient_accumulation_steps = {64 // batch}" in said
    assert make_room(qwen, Transformers(batch=8), memory=24, batch=batch).facts()["fits"]


@pytest.mark.slow
def test_a_batch_is_cut_no_further_than_its_trainer_takes(qwen: Path) -> None:
    grpo = Grpo.model_validate({"longest": 512, "batch": 64, "generations": 16})
    case = Case(qwen, Transformers(batch=8), Method(grpo, "bfloat16"), 0)
    last = Room("qwen", case, 24 * GIB, 0).lines()[-1]
    assert "DOES NOT FIT" in last
    assert all(int(batch) % 16 == 0 for batch in re.findall(r"trainer.batch = (\d+)", last)), last


def test_a_server_without_room_for_one_conversation_is_told_to_take_shorter_ones(qwen: Path) -> None:
    last = make_room(qwen, Vllm(dtype="bfloat16", share=0.3), memory=16, batch=1, lora={"rank": 8}).lines()[-1]
    assert "no whole conversation fits" in last
    assert "--max-model-len=1024" in last


def test_advice_keeps_what_the_scenario_has_set_already(qwen: Path) -> None:
    engine = Vllm(dtype="bfloat16", share=0.3, arguments=("--max-num-seqs=8",))
    last = make_room(qwen, engine, memory=16, batch=1, lora={"rank": 8}).lines()[-1]
    assert "student.engine.arguments = ['--max-num-seqs=8', '--max-model-len=1024']" in last
    case = make_room(qwen, Transformers(batch=8), lora={"rank": 8, "alpha": 4}).case
    assert [words for words, _ in WAYS[-1](case)] == ['trainer.lora.quantization = "nf4"']


def test_what_others_take_is_not_there_for_the_session(qwen: Path) -> None:
    assert make_room(qwen, Vllm(dtype="bfloat16", sleep=True), taken=47).facts()["fits"]
    last = make_room(qwen, Vllm(dtype="bfloat16", sleep=True), taken=49).lines()[-1]
    assert "DOES NOT FIT: 81.0 of 80.0 GiB, 49.0 of them for others" in last


def test_without_a_gpu_the_smallest_one_that_would_do_is_named(qwen: Path) -> None:
    room = make_room(qwen, Transformers(batch=8), memory=None)
    assert f"fits on a GPU of {room.smallest()} GiB; no GPU is seen here" in room.lines()[-1]
    assert room.facts()["fits"] is None


@pytest.mark.slow
def test_the_recipe_for_one_gpu_says_what_it_takes_without_a_network(tmp_path: Path) -> None:
    student = f'student.model="{make_model(tmp_path / "model", kind="qwen3")}"'
    plan = planning.plan(RECIPE, [student, *LOCAL, "gpu.memory=80"], seed=0, limit=20, allow_import=False)
    assert plan.room is not None
    assert plan.facts()["memory"]["fits"] is True
    assert plan.facts()["memory"]["taken"] == 28 * GIB
    json.dumps(plan.facts())
    assert any(line.startswith("memory  both") for line in plan.lines())


def test_the_gpu_that_is_meant_does_not_make_another_scenario(tmp_path: Path) -> None:
    path = write_scenario(tmp_path)
    one, other = (planning.plan(path, more, seed=0, limit=None, allow_import=False) for more in ([], ["gpu.memory=80"]))
    assert one.scenario.hash == other.scenario.hash
    assert "any GPU, or on none" in one.lines()[-1]
    with pytest.raises(ScenarioError, match="leaves nothing of memory"):
        planning.plan(path, ["gpu.memory=8", "gpu.taken=8"], seed=0, limit=None, allow_import=False)


def test_a_model_that_is_neither_here_nor_to_be_had_is_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises((ScenarioError, UnavailableError), match=r"Qwen/Qwen3-0.6B.*give the folder of a copy"):
        planning.plan(RECIPE, [], seed=0, limit=20, allow_import=False)
