from pathlib import Path
from typing import Any

import pytest

from evolvent.memory.errors import PartError
from evolvent.memory.parts import PartSpec, load
from evolvent.training.trainer import Trainer, write_rows
from evolvent.training.tuning import Tuner


def build(**args: object) -> Trainer:
    spec = PartSpec(name="sft", settings={"args": args})
    return load(spec, base=Trainer, package="evolvent.training.trainers", where="test.toml")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("args", "said"),
    [
        (
            {"lr_scheduler_tipe": "cosine"},
            "SFTConfig has no argument 'lr_scheduler_tipe'; did you mean 'lr_scheduler_type'",
        ),
        ({"per_device_train_batch_size": 8}, "'per_device_train_batch_size' is the trainer's setting 'batch'"),
        ({"max_length": 8}, "is the trainer's setting 'longest'"),
        ({"seed": 1}, "'seed' cannot be passed on: the session's seed fixes it"),
        ({"packing": True}, "'packing' cannot be passed on: rows are packed"),
        ({"lr_scheduler_type": "linaer"}, "linaer is not a valid SchedulerType"),
        ({"report_to": "wandb"}, "report_to needs 'wandb', which is not installed; try: pip install wandb"),
        ({"report_to": ["trakio"]}, "report_to knows no 'trakio'; known: .*; did you mean 'trackio'"),
        ({"report_to": "all"}, "report_to knows no 'all'"),
        ({"optm": "adamw", "seed": 2}, "did you mean 'optim'.*'seed' cannot be passed on"),
    ],
)
def test_what_trl_cannot_take_is_refused_with_the_way_out(args: dict[str, object], said: str) -> None:
    with pytest.raises(PartError, match=f"test.toml: trainer 'sft'.*args: .*{said}"):
        build(**args)


@pytest.mark.slow
def test_an_argument_of_trl_reaches_it_in_place_of_our_own_choice(tmp_path: Path) -> None:
    from evolvent.training.tuning import Job

    trainer = build(lr_scheduler_type="cosine", max_grad_norm=0.3)
    assert isinstance(trainer, Tuner)
    nobody: Any = None
    write_rows(tmp_path, [("a", "1+1", "2")])
    made = trainer.arguments(Job(tmp_path, tmp_path, nobody, nobody, 5, None, None), 640)
    assert (made.lr_scheduler_type, made.max_grad_norm, made.seed, made.max_steps) == ("cosine", 0.3, 5, 100)
