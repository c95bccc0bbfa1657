"""An adapter on weights of 4 bits: bitsandbytes computes with them on a CPU as well, where it is installed."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from pydantic import ValidationError

from evolvent.memory.errors import PartError
from evolvent.training import checkpoint, release
from evolvent.training.lora import Lora
from evolvent.training.trainer import read_metrics, write_rows
from evolvent.training.trainers.sft import Sft

from . import students
from .brought import adopt, make_model

HERE = find_spec("bitsandbytes") is not None
needs_it = pytest.mark.skipif(not HERE, reason="pip install 'evolvent[qlora]'")
SETTINGS = {"batch": 8, "learning_rate": 1e-2, "lora": {"rank": 8, "quantization": "nf4"}}


def prepare(folder: Path, kind: str = "qwen2") -> Path:
    """Rows and a model that somebody brings; give where it is."""
    tasks = students.make_tasks(64)
    write_rows(folder, [(t.id, t.prompt, t.answer) for t in tasks])
    return adopt(make_model(folder / "brought", kind=kind), folder / "base")


@pytest.mark.skipif(HERE, reason="bitsandbytes is installed")
def test_without_bitsandbytes_four_bits_are_refused_with_the_way_out() -> None:
    with pytest.raises(ValidationError, match=r"'nf4' needs bitsandbytes.*pip install 'evolvent\[qlora\]'"):
        Lora(quantization="nf4")


def test_an_adapter_says_nothing_of_bits_unless_it_is_told() -> None:
    assert "quantization" not in Lora().model_dump()


@needs_it
def test_weights_of_four_bits_take_a_seventh_of_the_memory(tmp_path: Path) -> None:
    base = prepare(tmp_path)
    plain, _ = checkpoint.load(base)
    small, _ = checkpoint.load(base, quantized_on="cpu")
    layer = "model.layers.0.mlp.up_proj.weight"
    whole, held = (dict(m.named_parameters())[layer] for m in (plain, small))
    assert (whole.nbytes, held.nbytes) == (4 * 128 * 64, 128 * 64 // 2)
    assert plain.get_memory_footprint() > small.get_memory_footprint()


@needs_it
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["qwen2", "gpt_neox"])
def test_a_round_on_four_bits_learns_and_leaves_an_adapter_of_the_weights_as_they_were(
    tmp_path: Path, kind: str
) -> None:
    base = prepare(tmp_path, kind)
    before = checkpoint.identify(base)
    Sft.model_validate(SETTINGS).train(tmp_path, start=base, seed=0, steps=30)
    losses = [entry["loss"] for entry in read_metrics(tmp_path)]
    assert losses[-1] < 0.9 * losses[0]
    assert checkpoint.adapted(tmp_path / "model")
    assert checkpoint.base(tmp_path / "model") == base
    assert checkpoint.identify(base) == before


@needs_it
@pytest.mark.slow
def test_merging_such_an_adapter_gives_full_weights_and_not_rounded_ones(tmp_path: Path) -> None:
    import torch

    base = prepare(tmp_path)
    Sft.model_validate(SETTINGS).train(tmp_path, start=base, seed=0, steps=3)
    (tmp_path / "merged").mkdir()
    release.release(tmp_path / "model", tmp_path / "merged", merge=True)
    answering, _ = checkpoint.load(tmp_path / "model")
    merged, _ = checkpoint.load(tmp_path / "merged")
    ids = torch.arange(12)[None]
    with torch.inference_mode():
        assert torch.allclose(answering(input_ids=ids).logits, merged(input_ids=ids).logits, atol=1e-4)
    # the embedding has no adapter, and the first weights of the disk are in it to the last bit
    name = "model.embed_tokens.weight"
    assert torch.equal(merged.state_dict()[name], checkpoint.load(base)[0].state_dict()[name])


@needs_it
@pytest.mark.slow
def test_a_round_goes_on_from_such_an_adapter(tmp_path: Path) -> None:
    base = prepare(tmp_path)
    trainer = Sft.model_validate(SETTINGS)
    trainer.train(tmp_path, start=base, seed=0, steps=20)
    first = read_metrics(tmp_path)
    (tmp_path / "model").rename(tmp_path / "first")
    trainer.train(tmp_path, start=tmp_path / "first", seed=0, steps=3)
    assert read_metrics(tmp_path)[0]["loss"] < first[0]["loss"]
    assert checkpoint.base(tmp_path / "model") == base


@needs_it
def test_four_bits_are_not_spread_over_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(PartError, match=r"'nf4'.*leave train.launch away"):
        Sft.model_validate(SETTINGS).train(tmp_path, start=tmp_path, seed=0)
