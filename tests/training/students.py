"""Builders: small students, and rows to train them on."""

from collections.abc import Sequence
from pathlib import Path

from evolvent.memory.records import Task
from evolvent.scenarios.schema import Scenario
from evolvent.training import student
from evolvent.training.trainer import write_rows
from evolvent.training.trainers.sft import Sft

from ..scenarios.builders import make_scenario, make_splits

MINI = {"hidden": 32, "layers": 1, "heads": 1, "first": {"samples": 64, "epochs": 1.0}}


def make_mini() -> Scenario:
    return make_scenario(student=MINI)


def make_tasks(count: int, *, part: str = "train") -> list[Task]:
    splits = make_splits(make_mini())
    return [t for s in ("easy", "hard") for t in splits.draw(s, part, count // 2, stream="test")]  # pyright: ignore[reportArgumentType] -- a part's name


def prepare(folder: Path, tasks: Sequence[Task]) -> Path:
    """Put rows and an untrained student into a folder; give the student's."""
    write_rows(folder, [(t.id, t.prompt, t.answer) for t in tasks])
    student.build(make_mini().student, folder / "untrained", seed=0)
    return folder / "untrained"


def make_student(folder: Path, *, seed: int = 0) -> Path:
    """Put a mini student of random weights into a folder."""
    student.build(make_mini().student, folder / "student", seed=seed)
    return folder / "student"


def train(folder: Path, *, steps: int = 3, seed: int = 0, tasks: Sequence[Task] | None = None) -> str:
    """Train a mini student in a folder and give the digest of what it became."""
    from evolvent.training import checkpoint

    start = prepare(folder, tasks or make_tasks(96))
    Sft(batch=32, learning_rate=1e-2).train(folder, start=start, seed=seed, steps=steps)
    return checkpoint.identify(folder / "model")


def make_adapter(base: Path, folder: Path, seed: int) -> tuple[Path, Path]:
    """An adapter that changes answers, and the same merged into full weights."""
    import torch
    from peft import LoraConfig, get_peft_model

    from evolvent.training import checkpoint

    torch.manual_seed(seed)
    model, tokenizer = checkpoint.load(base)
    config = LoraConfig(r=4, lora_alpha=16, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    adapted = get_peft_model(model, config)
    adapted.save_pretrained(str(folder / "adapter"))
    adapted.merge_and_unload()
    # adapters are merged into the model they were put on
    checkpoint.save(model, tokenizer, folder / "merged")
    return folder / "adapter", folder / "merged"
