"""Rows whose order is to be kept reach the model in that order, and rows that are to be mixed as they always did."""

from pathlib import Path
from typing import Any

import pytest

from evolvent.memory.parts import PartSpec, load
from evolvent.scenarios.verifiers.exact import Exact
from evolvent.training import checkpoint
from evolvent.training.trainer import DATA, Trainer, is_ordered, read_ids, write_rows
from evolvent.training.trainers.kto import Kto
from evolvent.training.trainers.sft import Sft
from evolvent.training.tries import Try, write_tries
from evolvent.training.tuning import Job, Tuner
from evolvent.training.wording import Wording

from . import students


def make_job(folder: Path, *, count: int = 8, ordered: bool) -> Job:
    """A round of a mini student, every answer of its own wrong."""
    tasks = students.make_tasks(count)
    start = students.prepare(folder, tasks)
    write_rows(folder, [(t.id, t.prompt, t.answer) for t in tasks], tasks=tasks, ordered=ordered)
    write_tries(folder, [Try(t.id, t.prompt, t.answer, "7", 0.0, "7") for t in tasks])
    model, tokenizer = checkpoint.load(start)
    return Job(folder, start, model, Wording(tokenizer), seed=3, steps=None, verifier=Exact())


def make_trainer(name: str, folder: Path) -> Tuner:
    settings = {"distill": {"teacher": folder / "untrained"}, "grpo": {"generations": 2}}.get(name, {})
    spec = PartSpec(name=name, settings={"batch": 2, "epochs": 2, **settings})
    found = load(spec, base=Trainer, package="evolvent.training.trainers", where="test")
    assert isinstance(found, Tuner)
    return found


def seen(trainer: Any, tokenizer: Any) -> list[str]:
    """What the model is given while it trains, one text a row."""
    texts: list[str] = []

    def note(_module: Any, args: Any, kwargs: Any) -> None:
        ids = kwargs["input_ids"] if "input_ids" in kwargs else args[0]
        texts.extend(tokenizer.batch_decode(ids, skip_special_tokens=True))

    trainer.model.model.register_forward_pre_hook(note, with_kwargs=True)
    trainer.train()
    return texts


def test_the_mark_of_a_kept_order_is_in_the_file_and_nowhere_else(tmp_path: Path) -> None:
    rows = [("a", "1+1", "2"), ("b", "1+2", "3")]
    write_rows(tmp_path / "mixed", rows)
    write_rows(tmp_path / "kept", rows, ordered=True)
    assert (is_ordered(tmp_path / "mixed"), is_ordered(tmp_path / "kept")) == (False, True)
    assert read_ids(tmp_path / "kept") == ["a", "b"]


def test_rows_that_may_be_mixed_are_written_as_if_there_were_no_mark(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    write_rows(tmp_path, [("a", "1+1", "2")])
    assert pq.read_schema(tmp_path / DATA).metadata is None


@pytest.mark.slow
def test_ordered_rows_reach_the_model_in_their_order_in_every_pass(tmp_path: Path) -> None:
    job = make_job(tmp_path, ordered=True)
    texts = seen(Sft(batch=1, epochs=2, most_steps=16).build(job), job.wording.tokenizer)
    prompts = [task.prompt for task in students.make_tasks(8)]
    assert len(texts) == 16
    assert [p for p, t in zip(prompts * 2, texts, strict=True) if p not in t] == []


@pytest.mark.slow
def test_other_rows_reach_it_in_another_order_in_every_pass(tmp_path: Path) -> None:
    job = make_job(tmp_path, ordered=False)
    texts = seen(Sft(batch=1, epochs=2, most_steps=16).build(job), job.wording.tokenizer)
    assert sorted(texts[:8]) == sorted(texts[8:])
    assert len({tuple(texts[:8]), tuple(texts[8:]), tuple(sorted(texts[:8]))}) == 3


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dpo", "sft", "distill", "grpo"])
@pytest.mark.parametrize("ordered", [True, False])
def test_every_trainer_of_trl_draws_its_rows_in_the_order_that_is_wanted(
    name: str, ordered: bool, tmp_path: Path
) -> None:
    job = make_job(tmp_path, ordered=ordered)
    trainer = make_trainer(name, tmp_path).build(job)
    drawn = list(dict.fromkeys(trainer._get_train_sampler(trainer.train_dataset)))  # pyright: ignore[reportPrivateUsage] -- TRL's only word on it
    assert sorted(drawn) == list(range(8))
    assert (drawn == sorted(drawn)) is ordered


@pytest.mark.slow
def test_kto_keeps_the_order_from_step_to_step_with_wrong_answers_beside_right_ones(tmp_path: Path) -> None:
    job = make_job(tmp_path, ordered=True)
    rows = Kto(batch=4).build(job).train_dataset
    prompts = [row["prompt"][0]["content"] for row in rows]
    tasks = students.make_tasks(8)
    for step in range(4):
        assert sorted(prompts[4 * step : 4 * step + 4]) == sorted(t.prompt for t in tasks[2 * step : 2 * step + 2] * 2)
