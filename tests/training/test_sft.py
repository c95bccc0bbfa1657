from pathlib import Path
from typing import Any

import pytest

from evolvent.memory.errors import EvolventError
from evolvent.training.trainer import read_rows
from evolvent.training.trainers.sft import Sft

from .students import make_tasks, prepare, train


def test_steps_are_capped() -> None:
    assert Sft(epochs=10, batch=64, most_steps=100).steps(10**6) == 100


@pytest.mark.slow
def test_the_same_rows_and_seed_give_the_same_weights_and_another_seed_others(tmp_path: Path) -> None:
    first, again, other = (train(tmp_path / str(i), seed=seed) for i, seed in enumerate((0, 0, 1)))
    assert first == again != other


@pytest.mark.slow
def test_a_round_that_logged_no_finite_loss_makes_no_student(tmp_path: Path) -> None:
    base = prepare(tmp_path, make_tasks(16))
    with pytest.raises(EvolventError, match="trainer 'sft' logged no finite loss"):
        Sft(batch=8, most_steps=2, args={"logging_strategy": "no"}).train(tmp_path, start=base, seed=0)


@pytest.mark.slow
def test_rows_are_tokenized_as_trl_does_and_none_is_cut(tmp_path: Path) -> None:
    from datasets import Dataset
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    from evolvent.training import checkpoint
    from evolvent.training.packed import tokenize
    from evolvent.training.wording import Wording

    tasks = [*make_tasks(40), make_tasks(2)[0].model_copy(update={"prompt": "9" * 150, "answer": "8" * 60})]
    model, tokenizer = checkpoint.load(prepare(tmp_path, tasks))
    rows = read_rows(tmp_path)
    talks: list[dict[str, Any]] = [
        {"prompt": [{"role": "user", "content": p}], "completion": [{"role": "assistant", "content": c}]}
        for p, c in rows
    ]
    config = SFTConfig(output_dir=str(tmp_path / "trl"), max_length=None, bf16=False, use_cpu=True, report_to="none")
    theirs = SFTTrainer(model=model, args=config, train_dataset=Dataset.from_list(talks), processing_class=tokenizer)
    ours = tokenize(Wording(tokenizer), rows)
    for column in ("input_ids", "labels"):
        assert list(ours[column]) == list(theirs.train_dataset[column])  # pyright: ignore[reportArgumentType, reportOptionalSubscript, reportIndexIssue, reportCallIssue] -- a Dataset
    assert len(ours[-1]["input_ids"]) == 150 + 60 + 3


@pytest.mark.slow
def test_packed_rows_give_the_loss_and_the_gradient_of_padded_ones(tmp_path: Path) -> None:
    import torch
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    from evolvent.training import checkpoint
    from evolvent.training.packed import PackedTrainer, tokenize
    from evolvent.training.wording import Wording

    start = prepare(tmp_path, make_tasks(40))
    config = SFTConfig(output_dir=str(tmp_path / "t"), max_length=None, bf16=False, use_cpu=True, report_to="none")
    loaded: list[tuple[Any, Any]] = [checkpoint.load(start) for _ in range(2)]
    (packed, tokenizer), (padded, _) = loaded
    rows = tokenize(Wording(tokenizer), read_rows(tmp_path))
    trainer = PackedTrainer(packed, tokenizer, args=config, train_dataset=rows)
    examples: Any = list(rows)
    loss = trainer.compute_loss(packed, trainer.data_collator(examples))
    batch = DataCollatorForLanguageModeling(pad_token_id=tokenizer.pad_token_id)(examples)
    wanted = padded(**batch).loss
    loss.backward()
    wanted.backward()
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-6)
    for ours, theirs in zip(packed.parameters(), padded.parameters(), strict=True):
        assert torch.allclose(ours.grad, theirs.grad, atol=1e-6)
