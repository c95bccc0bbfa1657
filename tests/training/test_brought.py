"""Training of a model that somebody brings."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from evolvent.memory.inference import Request
from evolvent.memory.parts import PartSpec, known, load
from evolvent.scenarios.verifiers.exact import Exact
from evolvent.training import checkpoint
from evolvent.training.engines.transformers import Transformers
from evolvent.training.engines.vllm import ROLE, Vllm
from evolvent.training.exam import sit
from evolvent.training.manner import Manner
from evolvent.training.serving.host import hosting
from evolvent.training.serving.weights import read
from evolvent.training.trainer import Trainer, write_rows
from evolvent.training.trainers.sft import Sft
from evolvent.training.tries import Try, write_tries

from .brought import adopt, make_model
from .students import make_tasks

PACKAGE = "evolvent.training.trainers"
QUIET = {"enable_thinking": False}


def prepare(folder: Path, **settings: Any) -> Path:
    """Put rows, tries and a model's base into a folder; give the base."""
    kind = {key: settings.pop(key) for key in ("kind", "tied", "shard") if key in settings}
    tasks = make_tasks(16)
    folder.mkdir(exist_ok=True)
    write_rows(folder, [(t.id, t.prompt, t.answer) for t in tasks], tasks=tasks)
    write_tries(folder, [Try(t.id, t.prompt, t.answer, "?", 0.0, "?") for t in tasks])
    return adopt(make_model(folder / "model-as-it-came", **kind), folder / "base", **settings)


@pytest.mark.slow
@pytest.mark.parametrize("name", known(PACKAGE))
@pytest.mark.parametrize("lora", [None, {"rank": 8}])
def test_every_trainer_teaches_a_model_as_it_is_spoken_to(name: str, lora: Any, tmp_path: Path) -> None:
    base = prepare(tmp_path, shard="50KB", system="You add.", template=QUIET, reasoning=("<think>", "</think>"))
    settings: dict[str, Any] = {"lora": lora, "batch": 8, "learning_rate": 1e-3}
    if name == "distill":
        settings["teacher"] = make_model(tmp_path / "teacher", seed=1)
    trainer = load(PartSpec(name=name, settings=settings), base=Trainer, package=PACKAGE, where="test")
    done = trainer.train(tmp_path, start=base, seed=0, steps=2, verifier=Exact())
    made = tmp_path / "model"
    assert done.steps == 2
    assert checkpoint.identify(made) != checkpoint.identify(base)
    assert Manner.read(checkpoint.base(made)).system == "You add."
    (said,) = asyncio.run(Transformers().open(made).answer([Request("1+2", 4)]))
    assert said.tokens > 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["qwen2", "gpt_neox"])
def test_a_model_learns_its_rows_and_generation_says_so(kind: str, tmp_path: Path) -> None:
    base = prepare(tmp_path, kind=kind, template=QUIET)
    Sft(batch=16, learning_rate=5e-3, most_steps=200).train(tmp_path, start=base, seed=0, steps=120)
    tasks = make_tasks(16)
    engine = Transformers().open(tmp_path / "model")
    assert sum(asyncio.run(sit(engine, tasks, Exact(), longest=12))) == len(tasks)
    assert asyncio.run(engine.agrees([(t.prompt, t.answer) for t in tasks])) == [True] * len(tasks)
    asked = asyncio.run(engine.answer([Request(t.prompt, 12) for t in tasks]))
    assert all(said.complete for said in asked)


@pytest.mark.slow
def test_a_trained_model_has_the_shape_and_the_tokenizer_it_came_with(tmp_path: Path) -> None:
    base = prepare(tmp_path, shard="50KB")
    before = (base / "tokenizer.json").read_bytes()
    Sft(batch=8).train(tmp_path, start=base, seed=0, steps=1)
    made = tmp_path / "model"
    assert (made / "tokenizer.json").read_bytes() == before
    assert json.loads((made / "generation_config.json").read_text())["eos_token_id"] == [302]
    assert read(made).shape == read(base).shape
    assert not (made / checkpoint.INDEX).exists()


@pytest.mark.slow
@pytest.mark.parametrize("tied", [True, False])
def test_tied_embeddings_are_seen_with_or_without_the_configuration_saying_so(tied: bool, tmp_path: Path) -> None:
    base = make_model(tmp_path / "model", tied=tied)
    assert read(base).tied == tied
    config = json.loads((base / "config.json").read_text())
    config.pop("tie_word_embeddings")
    (base / "config.json").write_text(json.dumps(config))
    assert read(base).tied == tied


@pytest.mark.slow
@pytest.mark.vllm
def test_one_server_answers_for_a_model_and_for_what_it_became_as_this_process_does(tmp_path: Path) -> None:
    ways: dict[str, Any] = {"shard": "50KB", "system": "You add.", "template": QUIET, "stop": ("\n\n",)}
    base = prepare(tmp_path, **ways)
    Sft(batch=16, learning_rate=5e-3).train(tmp_path, start=base, seed=0, steps=20)
    asked = [*(Request(t.prompt, 8) for t in make_tasks(16)), Request("é" * 130, 8), Request("1+2", 10_000)]
    with hosting(tmp_path / "serving") as host:
        for student in (base, tmp_path / "model", base):
            own, served = (asyncio.run(part.open(student).answer(asked)) for part in (Transformers(), Vllm()))
            assert sum(a == b for a, b in zip(own, served, strict=True)) >= len(asked) - 1
            assert served[-2].finish == "length"
        assert host.servers[ROLE].starts == 1
