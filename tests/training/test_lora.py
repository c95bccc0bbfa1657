import json
from pathlib import Path
from typing import Any

import pytest

from evolvent.memory.errors import PartError, UnavailableError
from evolvent.memory.inference import Request
from evolvent.memory.parts import PartSpec, load
from evolvent.training import checkpoint
from evolvent.training.engines.transformers import Transformers
from evolvent.training.serving import weights
from evolvent.training.trainer import Trainer
from evolvent.training.trainers.sft import Sft

from .students import make_tasks, prepare

ADAPTED = Sft.model_validate({"batch": 32, "learning_rate": 1e-2, "lora": {"rank": 8}})


def train(folder: Path, start: Path | None = None, *, trainer: Sft = ADAPTED) -> Path:
    """Train an adapter for a few steps and give its folder."""
    begun = prepare(folder, make_tasks(64))
    trainer.train(folder, start=start or begun, seed=0, steps=3)
    return folder / "model"


@pytest.mark.parametrize(
    ("lora", "said"),
    [
        ({"rank": 12}, "rank"),
        ({"use_dora": True}, "no setting 'use_dora'"),
        ({"targets": ["lm_head"]}, "'lm_head' cannot have an adapter"),
        ({"targets": []}, "nothing cannot have an adapter"),
    ],
)
def test_an_adapter_that_vllm_would_not_serve_is_refused(lora: dict[str, object], said: str) -> None:
    spec = PartSpec(name="sft", settings={"lora": lora})
    with pytest.raises(PartError, match=said):
        load(spec, base=Trainer, package="evolvent.training.trainers", where="test")


@pytest.mark.slow
def test_an_adapter_is_a_student_of_its_own_and_named_as_the_server_names_it(tmp_path: Path) -> None:
    adapter = train(tmp_path)
    served = weights.read(adapter)
    assert not (adapter / "model.safetensors").exists()
    assert (served.digest, served.rank) == (checkpoint.identify(adapter), 8)
    assert served.base_digest == checkpoint.identify(tmp_path / "untrained") != served.digest


@pytest.mark.slow
async def test_an_adapter_answers_as_the_weights_it_comes_to(tmp_path: Path) -> None:
    adapter = train(tmp_path)
    model, tokenizer = checkpoint.load(adapter)
    checkpoint.save(model.merge_and_unload(), tokenizer, tmp_path / "merged")  # pyright: ignore[reportCallIssue] -- an adapter's
    requests = [Request(task.prompt, 8) for task in make_tasks(20)]
    untrained, adapted, merged = [
        [a.text for a in await Transformers().open(folder).answer(requests)]
        for folder in (tmp_path / "untrained", adapter, tmp_path / "merged")
    ]
    assert untrained != adapted == merged


@pytest.mark.slow
def test_the_weights_under_an_adapter_stay_as_they_were(tmp_path: Path) -> None:
    before = checkpoint.identify(prepare(tmp_path, make_tasks(64)))
    train(tmp_path)
    assert checkpoint.identify(tmp_path / "untrained") == before


@pytest.mark.slow
def test_going_on_from_an_adapter_keeps_its_base_and_changes_it(tmp_path: Path) -> None:
    first = train(tmp_path / "one")
    second = train(tmp_path / "two", first)
    named = [json.loads((f / "adapter_config.json").read_text())["base_model_name_or_path"] for f in (first, second)]
    assert named == [str((tmp_path / "one" / "untrained").resolve())] * 2
    assert checkpoint.identify(first) != checkpoint.identify(second)


@pytest.mark.slow
def test_an_adapter_of_another_rank_is_not_gone_on_with(tmp_path: Path) -> None:
    first = train(tmp_path / "one")
    with pytest.raises(PartError, match="rank 8 and cannot go on with 16"):
        train(tmp_path / "two", first, trainer=Sft.model_validate({"lora": {"rank": 16}}))


def test_an_adapter_without_its_base_says_so(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "gone"}')
    with pytest.raises(UnavailableError, match="'gone' holds no model"):
        checkpoint.load(tmp_path)


@pytest.mark.slow
def test_a_copy_of_an_adapter_is_merged_and_needs_no_other_folder(tmp_path: Path) -> None:
    adapter = train(tmp_path / "old")
    checkpoint.copy(adapter, tmp_path / "copy")
    model, _ = checkpoint.load(adapter)
    merged: Any = model
    wanted = {name: weight.clone() for name, weight in merged.merge_and_unload().state_dict().items()}
    (tmp_path / "old").rename(tmp_path / "gone")
    copied, _ = checkpoint.load(tmp_path / "copy")
    assert not checkpoint.adapted(tmp_path / "copy")
    assert all(weight.equal(wanted[name]) for name, weight in copied.state_dict().items())
