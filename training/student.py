"""The embedded student: a small Llama built from scratch, first trained on the easy part only.

It is cached by the hash of everything that went into it, so a second session starts at once. Embeddings are untied:
with tied ones a server that reloads weights in place keeps the old output layer without saying so.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..memory import files
from ..memory.lock import alive
from ..memory.parts import PartSpec, load
from ..memory.records import Task
from ..memory.trace import span
from ..scenarios.schema import Scenario, Student
from ..scenarios.splits import Splits
from . import checkpoint
from .tokenizer import CHARACTERS, END, PAD, SPECIAL, build_tokenizer
from .trainer import MODEL, Trainer, write_rows

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

LONGEST = 256
"""Positions the embedded student can tell apart."""
SPREAD = 0.06
"""Standard deviation of the initial weights: at a width near 100, transformers' 0.02 doubles the steps needed."""
THETA = 100.0
"""Base of the rotary embedding: short contexts need no slow frequencies."""
FIRST = "sft"
"""Trainer of the first training."""
UNCAPPED = 10**9
"""Optimiser steps that no first training reaches."""
RECIPE = 3
"""Raised when this module or the tokenizer changes what is built, so that no older student is taken for it."""


def cache_folder() -> Path:
    """Where first-trained students are kept: `EVOLVENT_CACHE`, or the user's cache folder."""
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "evolvent"
    return Path(os.environ.get("EVOLVENT_CACHE", default))


def build(student: Student, folder: Path, *, seed: int) -> None:
    """Write an untrained student."""
    checkpoint.save(untrained(student, seed=seed), build_tokenizer(LONGEST), folder)


def untrained(student: Student, *, seed: int) -> "LlamaForCausalLM":
    """Make a student that has learned nothing, for the character tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(SPECIAL) + len(CHARACTERS),
        hidden_size=student.hidden,
        intermediate_size=3 * student.hidden,
        num_hidden_layers=student.layers,
        num_attention_heads=student.heads,
        num_key_value_heads=student.heads,
        max_position_embeddings=LONGEST,
        tie_word_embeddings=False,
        initializer_range=SPREAD,
        rope_parameters={"rope_type": "default", "rope_theta": THETA},
        pad_token_id=SPECIAL.index(PAD),
        eos_token_id=SPECIAL.index(END),
        bos_token_id=None,
    )
    return LlamaForCausalLM(config)


def first_tasks(scenario: Scenario, splits: Splits) -> list[Task]:
    """Tasks of the first training, without the features the scenario plants as unknown."""
    wanted = scenario.student.first.skills or dict.fromkeys(scenario.guards, ())
    each = scenario.student.first.samples // max(1, len(wanted))
    return [
        task
        for skill in sorted(wanted)
        for task in splits.draw(skill, "train", each, stream="first", lacking=tuple(wanted[skill]))
    ]


def first_trainer(trainer: Trainer, *, epochs: float) -> Trainer:
    """The trainer of a first training: all weights on right answers, since an adapter or a preference needs a student.

    Args:
        trainer: of the rounds; its settings hold where it does the same but for an adapter.
        epochs: passes over the first tasks.
    """
    settings = {"epochs": epochs, "most_steps": UNCAPPED, "rehearse": 0, "answers": "given"}
    plain = load(
        PartSpec(name=FIRST, settings={"longest": trainer.longest, **settings}),
        base=Trainer,
        package=f"{__package__}.trainers",
        where="first training",
    )
    if type(trainer) is not type(plain):
        return plain
    given = trainer.model_dump(exclude={"lora", "learning_rate"} if trainer.adapts else {"lora"})
    return plain.model_copy(update={**given, **settings})


def prepare(scenario: Scenario, trainer: Trainer, tasks: Sequence[Task], folder: Path, *, seed: int) -> bool:
    """Put the first-trained student into `folder`; say whether it came from the cache."""
    import transformers
    import trl

    cause = {
        "student": scenario.student.model_dump(mode="json", exclude={"engine", "first"}),
        "trainer": trainer.describe(),
        "seed": seed,
        "versions": [transformers.__version__, trl.__version__],
        "recipe": RECIPE,
        "tasks": sorted(task.id for task in tasks),
    }
    cached = cache_folder() / "students" / files.digest(cause, length=32)
    found = files.verify(cached) is not None
    if not found:
        with span("first training", tasks=len(tasks)):
            _first_training(scenario, trainer, tasks, cached, seed=seed)
    shutil.copytree(cached / MODEL, folder, dirs_exist_ok=True)
    return found


def _first_training(scenario: Scenario, trainer: Trainer, tasks: Sequence[Task], cached: Path, *, seed: int) -> None:
    _clear(cached)
    working = cached.with_name(f".{cached.name}.{os.getpid()}")
    working.mkdir(parents=True)
    try:
        build(scenario.student, working / "untrained", seed=seed)
        if tasks:
            write_rows(working, [(task.id, task.prompt, task.answer) for task in tasks])
            trainer.train(working, start=working / "untrained", seed=seed)
        else:
            (working / "untrained").rename(working / MODEL)
        files.seal(working)
        # another session may have made the same one meanwhile, and be copying it
        if files.verify(cached) is None:
            files.publish(working, cached)
    finally:
        shutil.rmtree(working, ignore_errors=True)


def _clear(cached: Path) -> None:
    """Remove what killed processes left behind of the same student."""
    for left in cached.parent.glob(f".{cached.name}.*"):
        if not alive(int(left.suffix[1:])):
            shutil.rmtree(left, ignore_errors=True)
