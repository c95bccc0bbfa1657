"""Training throughput and held-out loss of the `sft` trainer against TRL's SFTTrainer, on the same rows in one run.

Equal everywhere: student, rows and their order, seed, optimiser steps, rows per step, learning rate and its schedule,
optimiser. Everything else is TRL's default for `TRL defaults`; `TRL batch 64` takes the rows of a step at once, and
`TRL tuned` also leaves out what does not pay on this CPU. One torch thread; the methods take turns.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..agents.parts import Parts
from ..memory.records import Task
from ..scenarios import loader
from ..scenarios.splits import Splits
from ..training import checkpoint, student
from ..training.trainer import MODEL, read_rows, write_rows
from ..training.trainers.sft import Sft
from .machine import ROOT, Check, keep, median_and_range

ROWS = 6000
HELD_OUT = 600
OURS, DEFAULTS, BATCH, TUNED = "evolvent", "TRL defaults", "TRL batch 64", "TRL tuned"
SPEEDUP = 2.0
"""Required over TRL's defaults."""
CLOSE = 0.01
"""Largest relative difference in held-out loss."""
EXACT = 1e-3
"""The same where both compute in full precision, so that only the order of sums differs."""


class Run(NamedTuple):
    """What one method did once."""

    tokens: int
    wall: float
    """Seconds in the training loop."""
    cpu: float
    """CPU seconds in all, tokenisation and set-up included."""
    whole: float
    """Wall seconds in all."""
    loss: float
    digest: str


def main(argv: Sequence[str] | None = None) -> list[Check]:
    """Measure, print and keep the result."""
    parser = argparse.ArgumentParser(prog="evolvent.benchmarks.training", description=__doc__)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--scenarios", nargs="+", default=["arithmetic", "dates"])
    options = parser.parse_args(argv)
    since = time.perf_counter()
    result: dict[str, Any] = {"steps": options.steps, "repeats": options.repeats, "rows": ROWS, "scenarios": {}}
    checks: list[Check] = []
    for name in options.scenarios:
        runs = measure(ROOT / "scenarios" / f"{name}.toml", steps=options.steps, repeats=options.repeats)
        figures = compare(runs)
        result["scenarios"][name] = figures
        checks += _checks(name, figures)
        print(_table(name, figures), flush=True)
    path = keep("training", result, checks, seconds=time.perf_counter() - since)
    print("\n".join(c.line() for c in checks), f"\nwritten to {path}")
    return checks


def measure(scenario: Path, *, steps: int, repeats: int) -> dict[str, list[Run]]:
    """Let every method train the same student on the same rows, in turn."""
    with tempfile.TemporaryDirectory() as folder:
        held_out = _prepare(scenario, Path(folder))
        methods: dict[str, Callable[[Path, int], tuple[int, float]]] = {
            OURS: _ours,
            DEFAULTS: lambda at, n: _trl(at, n, per_device_train_batch_size=8, gradient_accumulation_steps=8),
            BATCH: lambda at, n: _trl(at, n, per_device_train_batch_size=64),
            TUNED: lambda at, n: _trl(
                at, n, per_device_train_batch_size=64, bf16=False, gradient_checkpointing=False
            ),
        }  # fmt: skip
        for method in methods.values():  # imports, caches and threads of all are warm before any is timed
            method(Path(folder), 2)
        runs: dict[str, list[Run]] = {name: [] for name in methods}
        for _ in range(repeats):
            for name, method in methods.items():
                runs[name].append(_run(method, Path(folder), steps, held_out))
        return runs


def compare(runs: dict[str, list[Run]]) -> dict[str, Any]:
    """Medians and ranges of every method, and of ours over each other in the same turn."""
    ours = runs[OURS]
    return {
        name: {
            "tokens_per_second": median_and_range([r.tokens / r.wall for r in own]),
            "tokens_per_cpu_second_with_setup": median_and_range([r.tokens / r.cpu for r in own]),
            "setup_seconds": median_and_range([r.whole - r.wall for r in own]),
            "held_out_loss": own[0].loss,
            "digests": sorted({r.digest for r in own}),
            "speedup": median_and_range([r.wall / o.wall for o, r in zip(ours, own, strict=True)]),
            "speedup_whole_cpu": median_and_range([r.cpu / o.cpu for o, r in zip(ours, own, strict=True)]),
            "loss_difference": ours[0].loss / own[0].loss - 1,
        }
        for name, own in runs.items()
    }  # fmt: skip


def _prepare(path: Path, folder: Path) -> list[Task]:
    """Write rows and an untrained student; give tasks nobody trains on."""
    scenario = loader.load(path)
    splits = Splits(scenario, Parts.resolve(scenario, str(path)).source, 0)
    skills = sorted(scenario.skills)
    tasks = [t for s in skills for t in splits.draw(s, "train", ROWS // len(skills), stream="benchmark")]
    random.Random(0).shuffle(tasks)
    write_rows(folder, [(t.id, t.prompt, t.answer) for t in tasks])
    student.build(scenario.student, folder / "untrained", seed=0)
    return [t for s in skills for t in splits.draw(s, "report", HELD_OUT // len(skills), stream="benchmark")]


def _run(method: Callable[[Path, int], tuple[int, float]], folder: Path, steps: int, held_out: Sequence[Task]) -> Run:
    wall, cpu = time.perf_counter(), time.process_time()
    tokens, seconds = method(folder, steps)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    loss, digest = _held_out_loss(folder / MODEL, held_out), checkpoint.identify(folder / MODEL)
    return Run(tokens, seconds, cpu, wall, loss, digest)


def _ours(folder: Path, steps: int) -> tuple[int, float]:
    done = Sft().train(folder, start=folder / "untrained", seed=0, steps=steps)
    return done.tokens, done.seconds


def _trl(folder: Path, steps: int, **settings: Any) -> tuple[int, float]:
    """TRL from its conversational prompt-completion format, as its documentation shows it."""
    from datasets import Dataset, disable_progress_bars
    from transformers import PrinterCallback, set_seed
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    disable_progress_bars()
    set_seed(0)
    model, tokenizer = checkpoint.load(folder / "untrained")
    equal = Sft()
    rows = [
        {"prompt": [{"role": "user", "content": p}], "completion": [{"role": "assistant", "content": c}]}
        for p, c in read_rows(folder)
    ]
    config = SFTConfig(
        output_dir=str(folder / "trl"),
        max_steps=steps,
        learning_rate=equal.learning_rate,
        warmup_steps=int(equal.warmup * steps),
        lr_scheduler_type="linear",
        weight_decay=equal.weight_decay,
        adam_beta2=0.98,
        use_cpu=True,
        seed=0,
        data_seed=0,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        **settings,
    )
    trainer = SFTTrainer(
        model=model, args=config, train_dataset=Dataset.from_list(rows), processing_class=tokenizer
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    since = time.perf_counter()
    trainer.train()
    seconds = time.perf_counter() - since
    tokens = next(int(e["num_tokens"]) for e in reversed(trainer.state.log_history) if "num_tokens" in e)
    checkpoint.save(model, tokenizer, folder / MODEL)
    return tokens, seconds


def _held_out_loss(folder: Path, tasks: Sequence[Task]) -> float:
    """Mean cross-entropy per answer token, in full precision, one conversation at a time."""
    import torch
    from torch.nn.functional import cross_entropy

    loaded: tuple[Any, Any] = checkpoint.load(folder)
    model, tokenizer = loaded
    model.eval()
    total, count = 0.0, 0
    with torch.inference_mode():
        for task in tasks:
            asked = [{"role": "user", "content": task.prompt}]
            told = [*asked, {"role": "assistant", "content": task.answer}]
            start = len(tokenizer.apply_chat_template(asked, add_generation_prompt=True)["input_ids"])
            ids = torch.tensor([tokenizer.apply_chat_template(told)["input_ids"]])
            logits = model(input_ids=ids, use_cache=False).logits[0, start - 1 : -1]
            total += float(cross_entropy(logits, ids[0, start:], reduction="sum"))
            count += ids.shape[1] - start
    return total / count


def _checks(name: str, figures: dict[str, Any]) -> list[Check]:
    speed, apart = figures[DEFAULTS]["speedup"], figures[DEFAULTS]["loss_difference"]
    exact = figures[TUNED]["loss_difference"]
    same = len(figures[OURS]["digests"])
    return [
        Check(
            f"{name}: tokens/s over TRL defaults",
            f"{speed['median']:.2f}x ({speed['low']:.2f} to {speed['high']:.2f})",
            f">= {SPEEDUP:g}x",
            speed["median"] >= SPEEDUP,
        ),
        Check(
            f"{name}: held-out loss against TRL defaults",
            f"{figures[OURS]['held_out_loss']:.4f} ({apart:+.2%})",
            f"within {CLOSE:.0%}",
            abs(apart) <= CLOSE,
        ),
        Check(
            f"{name}: held-out loss against TRL in full precision",
            f"{exact:+.4%}",
            f"within {EXACT:.2%}",
            abs(exact) <= EXACT,
        ),
        Check(f"{name}: every repeat gives the same weights", f"{same} digest(s)", "1", same == 1),
    ]


def _table(name: str, figures: dict[str, Any]) -> str:
    lines = [
        f"{name:<14}{'tokens/s':>9} {'(range)':<16}{'ours over it':>13} {'with set-up, CPU':>17}{'loss':>9}{'ours':>9}"
    ]
    for method, f in figures.items():
        speed = f["tokens_per_second"]
        spread = f"({speed['low']:.0f}-{speed['high']:.0f})"
        ratios = f"{f['speedup']['median']:>12.2f}x {f['speedup_whole_cpu']['median']:>16.2f}x"
        loss = f"{f['held_out_loss']:>9.4f}{f['loss_difference']:>+9.2%}"
        lines.append(f"{method:<14}{speed['median']:>9.0f} {spread:<16}{ratios}{loss}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
