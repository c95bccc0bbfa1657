"""What a round takes of a GPU's memory, beside what a dry run says of it before.

Students have the shapes of real models and random weights; a few steps of `sft` train each in a process of its own, on
rows as long as the trainer takes. What was taken is what torch held at most and what the driver counts besides.
"""

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import torch

from ..agents.gpu import Case
from ..scenarios.student import Dtype
from ..training.device import choose
from ..training.engines.transformers import Transformers
from ..training.footprint import GIB, Method
from ..training.manner import Manner
from ..training.trainer import write_rows
from ..training.trainers.sft import Sft
from .machine import Check, keep

Json = dict[str, Any]
P = ParamSpec("P")
T = TypeVar("T")

BATCH, LONGEST, STEPS = 8, 512, 3
DTYPE: Dtype = "bfloat16"
SHAPES: Mapping[str, Mapping[str, Any]] = {
    "0.6B": {"hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28, "num_attention_heads": 16},
    "1.7B": {"hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 28, "num_attention_heads": 16},
    "8B": {"hidden_size": 4096, "intermediate_size": 12288, "num_hidden_layers": 36, "num_attention_heads": 32},
}
"""Models of the family Qwen3 (arXiv:2505.09388, table 1)."""
UNTIED = ("8B",)
RECOMPUTED: Mapping[str, Any] = {"args": {"gradient_checkpointing": True}}
ROUNDS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "0.6B, full weights": ("0.6B", {}),
    "1.7B, full weights": ("1.7B", {}),
    "1.7B, rank 16": ("1.7B", {"lora": {"rank": 16}}),
    "8B, rank 16, recomputed": ("8B", {"lora": {"rank": 16}, **RECOMPUTED}),
    "8B, rank 16, recomputed, 4 bits": ("8B", {"lora": {"rank": 16, "quantization": "nf4"}, **RECOMPUTED}),
}
"""A shape, and settings of the trainer."""


def main(argv: Sequence[str] | None = None) -> list[Check]:
    """Train the rounds, print and keep the result.

    Raises:
        UnavailableError: torch sees no GPU.
    """
    parser = argparse.ArgumentParser(prog="evolvent.benchmarks.gpu_memory", description=__doc__)
    parser.add_argument("--rounds", nargs="+", choices=list(ROUNDS), default=list(ROUNDS))
    options = parser.parse_args(argv)
    choose("cuda")
    since, checks, rounds = time.perf_counter(), list[Check](), list[Json]()
    with tempfile.TemporaryDirectory() as folder:
        for name in options.rounds:
            model = Path(folder) / ROUNDS[name][0]
            if not model.exists():
                _apart(make, model, ROUNDS[name][0])
            rounds.append({"round": name, **_apart(train, name, model)})
            checks.append(judge(rounds[-1]))
            print(checks[-1].line(), flush=True)
    found = {"batch": BATCH, "longest": LONGEST, "rounds": rounds}
    path = keep("gpu_memory", found, checks, seconds=time.perf_counter() - since)
    print(f"written to {path}")
    return checks


def judge(found: Json) -> Check:
    """What was taken has to be at most what was said."""
    said, taken = sum(found["said"].values()) / GIB, (found["held"] + found["beside"]) / GIB
    measured = f"{taken:.1f} GiB, {found['held'] / GIB:.1f} of them torch's"
    return Check(f"memory of a round: {found['round']}", measured, f"<= {said:.1f} GiB", taken <= said)


def train(name: str, model: Path) -> Json:
    """Train a round; say what was foretold, what torch held at most, and what the process has besides, in bytes."""
    trainer = _trainer(name)
    said = dict(Case(model, Transformers(), Method(trainer, DTYPE), 0).train.parts)
    with tempfile.TemporaryDirectory() as folder:
        # the tokenizer takes a byte for a token; the rest of a row are the marks of its turns
        answer = "7" * (LONGEST - 20)
        write_rows(Path(folder), [(str(i), f"{i:06}", answer) for i in range(BATCH * STEPS)])
        trained = trainer.train(Path(folder), start=model, seed=0, steps=STEPS)
    return {
        "card": torch.cuda.get_device_name(),
        "said": said,
        "held": torch.cuda.max_memory_reserved(),
        "needed": torch.cuda.max_memory_allocated(),
        "beside": _driven() - torch.cuda.memory_reserved(),
        "seconds": trained.seconds,
        "tokens": trained.tokens,
    }


def make(folder: Path, shape: str) -> None:
    """Write a model of a shape with random weights and a tokenizer of bytes."""
    from transformers import AutoConfig, AutoModelForCausalLM

    from ..tests.training.brought import make_tokenizer

    config: Any = AutoConfig.for_model(
        "qwen3", vocab_size=151936, num_key_value_heads=8, head_dim=128, max_position_embeddings=40960,
        tie_word_embeddings=shape not in UNTIED, **SHAPES[shape],
    )  # fmt: skip
    with torch.device(choose("auto")):
        model: Any = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, DTYPE))
    model.save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)
    Manner(dtype=DTYPE).write(folder)


def _driven() -> int:
    """Bytes of the GPU that are this process's, as the driver has it."""
    query = ["nvidia-smi", "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits"]
    said = subprocess.run(query, stdout=subprocess.PIPE, text=True, check=True).stdout
    mib = {int(pid): int(size) for pid, size in (line.split(",") for line in said.splitlines())}
    # in a namespace of its own a process does not know itself by the driver's number
    return mib.get(os.getpid(), sum(mib.values())) * 2**20


def _trainer(name: str) -> Sft:
    return Sft.model_validate({"longest": LONGEST, "batch": BATCH, "learning_rate": 1e-5, **ROUNDS[name][1]})


def _apart(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Do it in a process of its own, since one that used a GPU keeps some of it."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments, **named).result()


if __name__ == "__main__":
    main()
