"""What the trainers built on TRL share: settings for short rows, and the way from a folder to a checkpoint.

What differs from TRL's defaults is what short rows on a CPU need: no gradient checkpointing, full precision and a large
batch. Nothing is truncated.
"""

import logging
import time
from abc import abstractmethod
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from ..memory.errors import EvolventError, PartError
from ..memory.trace import spent
from ..scenarios.verifier import Verifier
from . import checkpoint, ranks
from .arguments import load_config, refusals
from .device import Device, choose, unset
from .lora import Lora, attach
from .trainer import METRICS, MODEL, Trained, Trainer, is_ordered
from .wording import Wording

Values = Mapping[str, Any]
MIXED = "use_json"
"""How calls with different arguments lie in one table: as they are, none with the names of another's."""
LOGS = 20
"""Entries of the metrics file that a round comes to."""


@dataclass(frozen=True, slots=True)
class Job:
    """One round to be trained."""

    folder: Path
    start: Path
    model: Any
    """What is trained: whole weights, or an adapter on frozen ones."""
    wording: Wording
    """How the student is spoken to, with its tokenizer."""
    seed: int
    steps: int | None
    """Optimiser steps; None lets them follow from the rows."""
    verifier: Verifier | None


class Tuner(Trainer):
    """Base of the trainers that run one of TRL's."""

    config: ClassVar[str]
    """TRL's class of arguments, as `module:class`."""
    fixed: ClassVar[Mapping[str, str]] = {}
    """Its arguments that a scenario cannot pass on, beside those of all trainers, each with the reason."""

    sequences: ClassVar[int] = 1
    """Sequences that a row comes to in a forward pass."""
    in_order: ClassVar[Values] = {"train_sampling_strategy": "sequential"}
    """TRL's arguments that keep it to the order of the rows, in every pass."""
    refers: ClassVar[bool] = False
    """Whether the student as it starts is kept beside it, where all weights are trained."""

    epochs: float = Field(default=10.0, gt=0, allow_inf_nan=False)
    """Passes over the training set."""
    most_steps: int = Field(default=750, ge=1)
    """Cap on optimiser steps."""
    batch: int = Field(default=64, ge=1)
    """Rows per optimiser step."""
    learning_rate: float = Field(default=3e-3, gt=0, allow_inf_nan=False)
    """Peak of a linear decay after warm-up."""
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of the steps that warm up."""
    weight_decay: float = Field(default=0.1, ge=0, allow_inf_nan=False)
    """Decoupled weight decay."""
    threads: int = Field(default=1, ge=1)
    """CPU threads; see the in-process engine for why one."""
    device: Device = Field(default="auto", exclude_if=unset)
    """Where to compute: `auto` is a GPU where there is one."""
    lora: Lora | None = None
    """Train an adapter on frozen weights; without it all weights are trained."""
    args: Mapping[str, Any] = {}
    """Arguments of TRL under its own names, such as `lr_scheduler_type`."""

    @model_validator(mode="after")
    def _passes_on_what_trl_takes(self) -> Self:
        if self.args:
            if wrong := refusals(self.args, config=self.config, fixed=self.fixed):
                raise ValueError(f"args: {'; '.join(wrong)}")
            try:
                self._arguments(Path(MODEL), rows=self.batch, seed=0, steps=1)
            except (ValueError, TypeError, ImportError) as error:
                raise ValueError(f"args: {str(error).splitlines()[0]}") from None
        return self

    @property
    def adapts(self) -> bool:
        """Whether `lora` is set."""
        return self.lora is not None

    @property
    def beside(self) -> Path | None:
        """Folder of another model that is kept beside the student while it trains."""
        return None

    @property
    def rows_each(self) -> int:
        """Rows that a sample comes to, at most."""
        return 1

    def passes(self, samples: int) -> float:
        """Times that the steps go over all samples."""
        return self.steps(samples) * self.batch / max(1, samples)

    def steps(self, samples: int) -> int:
        """Optimiser steps for a training set, at most."""
        return self._steps(samples * self.rows_each)

    def train(
        self, folder: Path, *, start: Path, seed: int, steps: int | None = None, verifier: Verifier | None = None
    ) -> Trained:
        """Train one round with TRL."""
        import torch
        from transformers import set_seed

        with spent("training"):
            torch.set_num_threads(self.threads)
            set_seed(seed)
            model, tokenizer = checkpoint.load(start, quantized_on=self._quantized_on())
            adapted = attach(model, start, self.lora)
            wording = Wording.read(start, tokenizer=tokenizer)
            trainer = self.build(Job(folder, start, adapted, wording, seed, steps, verifier))
            _prepare(trainer, folder / METRICS)
            since = time.perf_counter()
            trainer.train()
            seconds = time.perf_counter() - since
            log = [entry for entry in trainer.state.log_history if "loss" in entry]
            _save(trainer, tokenizer, folder / MODEL, start=start)
        last = [float(entry["loss"]) for entry in log[-max(1, len(log) // 10) :]]
        if not last or not all(map(isfinite, last)):
            raise EvolventError(
                f"trainer {self.name!r} logged no finite loss, so what it made is worth nothing; lower "
                "trainer.learning_rate, or see what trainer.args does to the loss and its logging"
            )
        return Trained(
            steps=int(trainer.state.global_step),
            tokens=int(log[-1].get("num_tokens", 0)) if log else 0,
            loss=sum(last) / len(last),
            seconds=seconds,
        )

    @abstractmethod
    def build(self, job: Job) -> Any:
        """Give TRL's trainer over the rows of a round, ready to train."""

    def own(self) -> Values:
        """Arguments that this trainer sets itself, under TRL's names."""
        return {"max_length": None}

    def arguments(self, job: Job, rows: int, **more: Any) -> Any:
        """TRL's arguments for a round.

        Args:
            job: the round.
            rows: how many rows there are to train on.
            more: arguments that follow from the rows; a scenario's own come before them.
        """
        order = self.in_order if is_ordered(job.folder) else {}
        steps = job.steps or self._steps(rows)
        return self._arguments(job.folder, rows=rows, seed=job.seed, steps=steps, **order, **more)

    def _quantized_on(self) -> str:
        """Device for frozen weights of 4 bits; empty where weights stay as they are."""
        if self.lora is None or not self.lora.quantization:
            return ""
        if ranks.together():
            raise PartError(
                f"trainer.lora.quantization {self.lora.quantization!r}: weights of 4 bits are not spread over "
                "processes here; leave train.launch away, or quantization"
            )
        return choose(self.device)

    def _steps(self, rows: int) -> int:
        return max(1, round(min(self.most_steps, self.epochs * rows / self.batch)))

    def _arguments(self, folder: Path, *, rows: int, seed: int, steps: int, **more: Any) -> Any:
        wanted: dict[str, Any] = {
            "output_dir": str(folder / "trainer"),
            "max_steps": steps,
            "per_device_train_batch_size": max(1, min(self.batch, rows) // ranks.world()),
            "learning_rate": self.learning_rate,
            "warmup_steps": int(self.warmup * steps),
            "lr_scheduler_type": "linear",
            "weight_decay": self.weight_decay,
            "adam_beta2": 0.98,
            "gradient_checkpointing": False,
            "bf16": False,
            "use_cpu": choose(self.device) == "cpu",
            "seed": seed,
            "data_seed": seed,
            "save_strategy": "no",
            "logging_steps": max(1, steps // LOGS),
            "report_to": "none",
            "disable_tqdm": True,
            "dataloader_pin_memory": False,
        }
        return load_config(self.config)(**{**wanted, **self.own(), **more, **self.args})


@contextmanager
def unheard(name: str, advice: str) -> Generator[None]:
    """Keep a piece of TRL's advice, known and not followed, out of a session's lines.

    Args:
        name: of the logger.
        advice: words of the message.
    """
    logger = logging.getLogger(name)

    def heeded(record: logging.LogRecord) -> bool:
        return advice not in record.getMessage()

    logger.addFilter(heeded)
    try:
        yield
    finally:
        logger.removeFilter(heeded)


def _prepare(trainer: Any, metrics: Path) -> None:
    """Keep figures in the metrics file instead of on standard output, and let a signal stop between two steps."""
    from transformers import PrinterCallback

    from .callbacks import Heeding, Streaming

    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Streaming(metrics))
    if not any(isinstance(callback, Heeding) for callback in trainer.callback_handler.callbacks):
        trainer.add_callback(Heeding)


def _save(trainer: Any, tokenizer: Any, folder: Path, *, start: Path) -> None:
    """Write what was trained; where it lies in several processes, all of them give their part and the first writes."""
    state = trainer.accelerator.get_state_dict(trainer.model_wrapped) if ranks.together() else None
    if ranks.first():
        checkpoint.save(trainer.model, tokenizer, folder, start=start, state=state)
