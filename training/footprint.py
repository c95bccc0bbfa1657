"""What training and serving a student take of a GPU's memory, in bytes, worked out before anything runs.

Weights, gradients and the two moments of AdamW (arXiv:1711.05101) are counted numbers times their width. What a
backward pass keeps is counted by `counting.py`. Weights of 4 bits take 4.127 bits each with the quantised scales of
QLoRA (arXiv:2305.14314, section 3). All are at most what is needed, but for what the CUDA runtime and its kernels keep
for themselves, which is a round figure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..scenarios.student import Dtype
from .tuning import Tuner

WIDTHS: Mapping[str, int] = {"float32": 4, "bfloat16": 2, "float16": 2}
"""Bytes of a number."""
GIB = 2**30
RUNTIME = 1.0 * GIB
"""What a process takes of a GPU before it does anything: context, kernels, workspaces. A round figure."""
ASLEEP = 1.5 * GIB
"""What a sleeping server keeps: runtime, and buffers that are neither weights nor cache. A round figure."""
FOUR_BITS = 4.127 / 8
"""Bytes of a weight of 4 bits, its share of the scales included."""
MOMENTS = 2
"""Numbers that AdamW keeps for each one it trains."""
WEIGHED = 8
"""Float32 copies of a position's logits that comparing student and teacher holds."""
SAMPLED = 1024
"""Sequences that vLLM samples at a time when it finds out how much memory it needs, at most."""
SLOTS = 2
"""Adapters that a started server has room for on the GPU."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A model, and one row of training on it."""

    parameters: int
    """Numbers in the weights, without an adapter; an output layer tied to the embedding counts once."""
    trained: int
    """Numbers that training changes: all, or the adapter's."""
    linear: int
    """Numbers in the linear layers but the output layer: what 4-bit weights replace."""
    kept: int
    """Bytes that one row keeps for the way back; where a layer is computed again, with what that takes for one."""
    cached: int
    """Numbers that one token leaves in the key-value cache, every layer's keys and values."""
    vocabulary: int
    """Numbers in one position's logits."""
    longest: int
    """Tokens that it was made for."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes by what takes them."""

    parts: Mapping[str, float]

    @property
    def total(self) -> float:
        """All of them."""
        return sum(self.parts.values())


@dataclass(frozen=True, slots=True)
class Method:
    """How a round is trained, as far as memory goes."""

    trainer: Tuner
    dtype: Dtype

    @property
    def recomputes(self) -> bool:
        """Whether layers are computed again on the way back."""
        return bool(self.trainer.args.get("gradient_checkpointing"))

    @property
    def quantized(self) -> bool:
        """Whether the frozen weights have 4 bits."""
        return self.trainer.lora is not None and bool(self.trainer.lora.quantization)

    def changed(self, **settings: Any) -> "Method":
        """The same with other settings of the trainer."""
        return replace(self, trainer=self.trainer.model_copy(update=settings))


def training(method: Method, counted: Counted, *, teacher: int = 0) -> Footprint:
    """What a round takes at its peak.

    Args:
        method: how it is trained.
        counted: the student, and one row of it.
        teacher: numbers in the weights of a teacher whose probabilities are learned.
    """
    trainer, width = method.trainer, WIDTHS[method.dtype]
    mixed = bool(trainer.args.get("bf16") or trainer.args.get("fp16"))
    held = counted.linear * FOUR_BITS if method.quantized else counted.linear * width
    # an adapter is trained in full precision, on weights of 4 bits in half, as peft and TRL have it
    trained = counted.trained * (width if trainer.lora is None else 2 if method.quantized else 4)
    adapter = trained if trainer.lora else 0
    rows = trainer.batch * trainer.sequences
    positions = rows * trainer.longest
    # the logits and their gradient, in what the model computes in and in full precision
    logits = positions * counted.vocabulary * 2 * (width + 4)
    parts = {
        "weights": held + (counted.parameters - counted.linear) * width + adapter,
        "half-precision copies": 2 * counted.parameters if mixed else 0,
        "gradients": trained,
        "optimizer": counted.trained * MOMENTS * _moment(trainer, trained / counted.trained),
        "activations": rows * counted.kept,
        "logits": logits,
        "reference": counted.parameters * width if trainer.refers and trainer.lora is None else 0,
        "teacher": teacher * width + positions * counted.vocabulary * 4 * WEIGHED if teacher else 0,
        "runtime": RUNTIME,
    }
    return Footprint({name: size for name, size in parts.items() if size})


def answering(counted: Counted, *, dtype: str, batch: int, length: int) -> Footprint:
    """What answering in this process takes: weights, keys and values of a batch, its logits.

    Args:
        counted: the student.
        dtype: what it computes in.
        batch: conversations at a time.
        length: tokens of each, question and answer.
    """
    width = WIDTHS[dtype]
    return Footprint(
        {
            "weights": counted.parameters * width,
            "keys and values": batch * length * counted.cached * width,
            "logits": batch * counted.vocabulary * (width + 4),
            "runtime": RUNTIME,
        }
    )


@dataclass(frozen=True, slots=True)
class Served:
    """What a vLLM server does with its share of a GPU."""

    footprint: Footprint
    """Adds up to the share, unless that is too small."""
    tokens: int
    """Tokens that its cache of keys and values holds; 0 or less where it cannot start."""
    longest: int
    """Tokens of the longest conversation it takes."""

    @property
    def starts(self) -> bool:
        """Whether one conversation of that length fits, without which vLLM does not start."""
        return self.tokens >= self.longest


def serving(counted: Counted, *, dtype: str, share: float, adapter: int, longest: int, memory: float) -> Served:
    """What a vLLM server takes: all of its share, whatever weights leave of it for keys and values.

    Args:
        counted: the student.
        dtype: what the server computes in.
        share: of the GPU's memory, in (0, 1].
        adapter: numbers in an adapter of the largest rank it takes; 0 without.
        longest: tokens of a conversation.
        memory: bytes of the GPU.
    """
    width = WIDTHS[dtype]
    fixed = {
        "weights": counted.parameters * width,
        "adapters": SLOTS * adapter * width,
        "logits": SAMPLED * counted.vocabulary * 4,
        "runtime": RUNTIME,
    }
    room = share * memory - sum(fixed.values())
    parts = {name: size for name, size in {**fixed, "keys and values": max(0.0, room)}.items() if size}
    return Served(Footprint(parts), int(room // (counted.cached * width)), longest)


def _moment(trainer: Tuner, width: float) -> float:
    """Bytes of a number that the optimizer keeps; of one that is not known here as AdamW's, which has the most."""
    named = str(trainer.args.get("optim", ""))
    if named == "sgd":
        return 0.0
    return 1.0 if named.endswith("8bit") else width
