"""What is said of memory against what real models, a real optimizer and real files take."""

from pathlib import Path
from typing import Any

import pytest

from evolvent.training import checkpoint
from evolvent.training.counting import count, kept
from evolvent.training.footprint import GIB, MOMENTS, RUNTIME, Method, answering, serving, training
from evolvent.training.lora import Lora, attach
from evolvent.training.trainers.dpo import Dpo
from evolvent.training.trainers.sft import Sft

from .brought import make_model

LENGTH = 64
LORA = Lora(rank=8)


def build(folder: Path, dtype: str = "float32", lora: Lora | None = None) -> Any:
    """The model with its bytes, as a round has it."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype), attn_implementation="sdpa")
    return attach(model, folder, lora).train()


@pytest.mark.parametrize("kind", ["llama", "qwen3", "gemma2"])
def test_numbers_are_counted_as_the_file_on_disk_has_them(tmp_path: Path, kind: str) -> None:
    folder = make_model(tmp_path, kind=kind)
    counted = count(folder, dtype="float32", length=LENGTH)
    assert counted.parameters == counted.trained == checkpoint.size(folder)
    header = int.from_bytes((folder / "model.safetensors").read_bytes()[:8], "little")
    assert 4 * counted.parameters == (folder / "model.safetensors").stat().st_size - 8 - header


def test_an_output_layer_that_is_the_embedding_counts_once(tmp_path: Path) -> None:
    tied, apart = (make_model(tmp_path / str(tied), tied=tied) for tied in (True, False))
    said = [count(folder, dtype="float32", length=LENGTH) for folder in (tied, apart)]
    assert said[1].parameters - said[0].parameters == said[0].vocabulary * 64


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("lora", [None, LORA], ids=["full", "lora"])
@pytest.mark.parametrize("kind", ["llama", "qwen3", "gemma2"])
def test_what_a_row_keeps_is_counted_within_a_tenth_of_what_it_really_keeps(
    tmp_path: Path, kind: str, lora: Lora | None, dtype: Any
) -> None:
    folder = make_model(tmp_path, kind=kind)
    said = count(folder, dtype=dtype, length=LENGTH, lora=lora)
    assert said.kept == pytest.approx(kept(build(folder, dtype, lora), LENGTH), rel=0.1)


@pytest.mark.parametrize("lora", [None, LORA], ids=["full", "lora"])
def test_layers_that_are_not_run_are_counted_as_those_that_are(tmp_path: Path, lora: Lora | None) -> None:
    folder = make_model(tmp_path, layers=7)
    said, real = count(folder, dtype="float32", length=LENGTH, lora=lora), build(folder, lora=lora)
    assert said.trained == sum(p.numel() for p in real.parameters() if p.requires_grad)
    assert said.kept == pytest.approx(kept(real, LENGTH), rel=0.1)


def test_computing_layers_again_keeps_less(tmp_path: Path) -> None:
    folder = make_model(tmp_path, layers=7)
    again, once = (count(folder, dtype="float32", length=LENGTH, recompute=r).kept for r in (True, False))
    assert again < once / 2


def test_layers_computed_again_are_not_made_smaller_by_a_large_vocabulary(tmp_path: Path) -> None:
    from transformers import AutoConfig

    for vocabulary in (300, 150_000):
        AutoConfig.for_model(
            "qwen3", vocab_size=vocabulary, hidden_size=64, intermediate_size=128, num_hidden_layers=28,
            num_attention_heads=2, num_key_value_heads=1, head_dim=32,
        ).save_pretrained(tmp_path / str(vocabulary))  # fmt: skip
    small, large = (
        count(tmp_path / str(v), dtype="float32", length=LENGTH, recompute=True).kept for v in (300, 150_000)
    )
    logits = (150_000 - 300) * LENGTH * 4
    assert large - small == pytest.approx(logits, rel=0.02)


@pytest.mark.parametrize("lora", [None, LORA], ids=["full", "lora"])
def test_gradients_and_the_optimizer_take_the_bytes_that_they_take(tmp_path: Path, lora: Lora | None) -> None:
    import torch

    folder = make_model(tmp_path)
    model = build(folder, lora=lora)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained)
    ids = torch.zeros(1, 8, dtype=torch.long)
    model(input_ids=ids, labels=ids).loss.backward()
    optimizer.step()
    state = sum(t.nbytes for s in optimizer.state.values() for t in s.values() if t.dim())
    gradients = sum(p.grad.nbytes for p in trained if p.grad is not None)
    method = Method(Sft(longest=LENGTH, lora=lora), "float32")
    said = training(method, count(folder, dtype="float32", length=LENGTH, lora=lora)).parts
    assert (said["gradients"], said["optimizer"]) == (gradients, state)
    assert said["weights"] == sum(p.nbytes for p in model.parameters())
    assert state == MOMENTS * gradients


def test_keys_and_values_take_the_bytes_of_a_real_cache(tmp_path: Path) -> None:
    import torch

    folder = make_model(tmp_path)
    cache = build(folder).eval()(input_ids=torch.zeros(1, 10, dtype=torch.long), use_cache=True).past_key_values
    held = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
    counted = count(folder, dtype="float32", length=LENGTH)
    assert 10 * 4 * counted.cached == held
    assert answering(counted, dtype="float32", batch=2, length=5).parts["keys and values"] == held


def test_what_a_preference_compares_with_is_a_second_student_unless_there_is_an_adapter(tmp_path: Path) -> None:
    folder = make_model(tmp_path)
    said = [
        training(Method(Dpo(longest=LENGTH, lora=lora), "float32"), count(folder, dtype="float32", length=LENGTH))
        for lora in (None, LORA)
    ]
    assert said[0].parts["reference"] == 4 * checkpoint.size(folder)
    assert "reference" not in said[1].parts


def test_a_server_takes_its_share_and_keeps_what_the_weights_leave_of_it(tmp_path: Path) -> None:
    counted = count(make_model(tmp_path), dtype="float32", length=LENGTH)
    said = serving(counted, dtype="bfloat16", share=0.5, adapter=1000, longest=128, memory=8 * GIB)
    assert said.footprint.total == pytest.approx(4 * GIB)
    assert said.footprint.parts["weights"] == 2 * counted.parameters
    assert said.tokens == int(said.footprint.parts["keys and values"] // (2 * counted.cached))
    assert said.starts


def test_a_server_whose_share_holds_no_whole_conversation_does_not_start(tmp_path: Path) -> None:
    counted = count(make_model(tmp_path), dtype="float32", length=LENGTH)
    assert not serving(counted, dtype="float32", share=0.1, adapter=0, longest=128, memory=RUNTIME).starts
