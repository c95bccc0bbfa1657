"""Supervised fine-tuning with TRL: conversational prompt and completion, loss on the completion, all weights.

What differs from TRL's defaults is what short rows on a CPU need: no gradient checkpointing, full precision, a large
batch, and rows packed instead of padded (`packed.py`). Nothing is truncated.
"""

import json
import time
from pathlib import Path
from typing import Any

from pydantic import Field

from ...memory.trace import spent
from .. import checkpoint
from ..trainer import METRICS, MODEL, Trained, Trainer, read_rows


class Sft(Trainer):
    """TRL's SFTTrainer with settings for short rows."""

    epochs: float = Field(default=10.0, gt=0)
    """Passes over the training set."""
    most_steps: int = Field(default=750, ge=1)
    """Cap on optimiser steps."""
    batch: int = Field(default=64, ge=1)
    """Samples per optimiser step."""
    learning_rate: float = Field(default=3e-3, gt=0)
    """Peak of a linear decay after warm-up."""
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of the steps that warm up."""
    weight_decay: float = Field(default=0.1, ge=0)
    """Decoupled weight decay."""
    threads: int = Field(default=1, ge=1)
    """CPU threads; see the in-process engine for why one."""

    def steps(self, samples: int) -> int:
        """Optimiser steps for a training set."""
        return max(1, min(self.most_steps, round(self.epochs * samples / self.batch)))

    def train(self, folder: Path, *, start: Path, seed: int, steps: int | None = None) -> Trained:
        """Train one round with TRL."""
        import torch
        from transformers import set_seed

        with spent("training"):
            torch.set_num_threads(self.threads)
            set_seed(seed)
            model, tokenizer = checkpoint.load(start)
            trainer = self._trainer(model, tokenizer, folder, seed, steps)
            since = time.perf_counter()
            trainer.train()
            seconds = time.perf_counter() - since
            log = [entry for entry in trainer.state.log_history if "loss" in entry]
            (folder / METRICS).write_text("".join(json.dumps(entry) + "\n" for entry in log))
            checkpoint.save(trainer.model, tokenizer, folder / MODEL)
        last = [float(entry["loss"]) for entry in log[-max(1, len(log) // 10) :]]
        return Trained(
            steps=int(trainer.state.global_step),
            tokens=int(log[-1].get("num_tokens", 0)) if log else 0,
            loss=sum(last) / len(last) if last else float("nan"),
            seconds=seconds,
        )

    def _trainer(self, model: Any, tokenizer: Any, folder: Path, seed: int, steps: int | None) -> Any:
        from trl.trainer.sft_config import SFTConfig

        from ..packed import PackedTrainer, tokenize

        dataset = tokenize(tokenizer, read_rows(folder))
        steps = steps or self.steps(len(dataset))
        config = SFTConfig(
            output_dir=str(folder / "trainer"),
            max_steps=steps,
            per_device_train_batch_size=min(self.batch, len(dataset)),
            learning_rate=self.learning_rate,
            warmup_steps=int(self.warmup * steps),
            lr_scheduler_type="linear",
            weight_decay=self.weight_decay,
            adam_beta2=0.98,
            max_length=None,
            gradient_checkpointing=False,
            bf16=False,
            use_cpu=True,
            seed=seed,
            data_seed=seed,
            save_strategy="no",
            logging_steps=max(1, steps // 20),
            report_to="none",
            disable_tqdm=True,
            dataloader_pin_memory=False,
        )
        trainer = PackedTrainer(model, tokenizer, args=config, train_dataset=dataset)
        _quiet(trainer)
        return trainer


def _quiet(trainer: Any) -> None:
    """Keep figures in the metrics file instead of on standard output."""
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
