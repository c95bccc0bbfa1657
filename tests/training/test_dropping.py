import json
from pathlib import Path
from typing import Any

import pytest

from evolvent.training import checkpoint
from evolvent.training.dropping import drop
from evolvent.training.trainers.sft import Sft

from . import students


def test_a_trainer_without_dropout_is_described_as_before() -> None:
    assert "dropout" not in Sft().describe()
    assert Sft(dropout=0.1).describe()["dropout"] == 0.1


@pytest.mark.slow
def test_a_student_drops_while_it_trains_and_never_else(tmp_path: Path) -> None:
    import torch

    loaded: tuple[Any, Any] = checkpoint.load(students.prepare(tmp_path, students.make_tasks(4)))
    model, tokenizer = loaded
    ids = tokenizer("12 + 34", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        before = model.eval()(ids).logits
        drop(model, 0.3)
        assert torch.equal(model(ids).logits, before)
        model.train()
        torch.manual_seed(0)
        one, other = model(ids).logits, model(ids).logits
    assert not torch.equal(one, before)
    assert not torch.equal(one, other)


@pytest.mark.slow
def test_what_blocks_add_keeps_its_mean_under_dropout(tmp_path: Path) -> None:
    import torch

    loaded: tuple[Any, Any] = checkpoint.load(students.prepare(tmp_path, students.make_tasks(4)))
    block = loaded[0].model.layers[0].mlp
    wanted = block(hidden := torch.randn(1, 3, 32)).detach()
    drop(loaded[0].train(), 0.25)
    with torch.no_grad():
        made = torch.stack([block(hidden) for _ in range(4000)])
    assert torch.allclose(made.mean(0), wanted, atol=0.05 * float(wanted.abs().max()))
    assert float((made == 0).float().mean()) == pytest.approx(0.25, abs=0.01)


@pytest.mark.slow
def test_the_checkpoint_says_nothing_of_dropout(tmp_path: Path) -> None:
    start = students.prepare(tmp_path, students.make_tasks(16))
    Sft(batch=8, most_steps=2, dropout=0.3).train(tmp_path, start=start, seed=0)
    told = [json.loads((folder / "config.json").read_text()) for folder in (tmp_path / "model", start)]
    assert told[0] | {"use_cache": True} == told[1]
