"""Ways to make a session fit on a GPU: settings, as few as will do, the ones that change least first."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations, product

from pydantic import ValidationError

from ..training.engines.vllm import Vllm
from ..training.lora import room_for
from ..training.tuning import Tuner
from .gpu import Case

RANK = 16
"""Of an adapter where none was asked for; what `trainer.lora` has by default."""
MOST = 5
"""Settings that are worth saying at once."""
SHARES = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
LEAST = 1024
"""Tokens of a conversation below which no server is limited here."""

Option = tuple[str, Callable[[Case], Case]]
"""What to set, and the case with it."""


def way_out(case: Case, memory: float, taken: float) -> str:
    """Settings with which a case fits, in words; empty where none do.

    Args:
        case: does not fit.
        memory: bytes of the GPU.
        taken: bytes of it that others take.
    """
    ways = [options for way in WAYS if (options := list(way(case)))]
    for size in range(1, MOST + 1):
        for chosen in combinations(ways, size):
            for options in product(*chosen):
                changed = case
                for _, change in options:
                    changed = change(changed)
                if changed.fits(memory, taken):
                    return " and ".join(words for words, _ in options)
    return ""


def _sleep(case: Case) -> Iterator[Option]:
    if _started(case) and not case.sleeps:
        yield "student.engine.sleep = true", lambda c: _serving(c, sleep=True)


def _length(case: Case) -> Iterator[Option]:
    """Conversations no longer than twice what is trained on, which leaves room for the prompts of a prober."""
    wanted = 2 * (case.method.trainer.longest + case.answer)
    tokens = max(LEAST, 1 << (wanted - 1).bit_length())
    if _started(case) and isinstance(case.engine, Vllm) and not case.engine.longest and tokens < case.counted.longest:
        more = (*case.engine.arguments, f"--max-model-len={tokens}")
        yield f"student.engine.arguments = {list(more)}", lambda c: _serving(c, arguments=more)


def _share(case: Case) -> Iterator[Option]:
    if _started(case):
        for share in SHARES:
            yield f"student.engine.share = {share}", lambda c, share=share: _serving(c, share=share)


def _half(case: Case) -> Iterator[Option]:
    if case.method.dtype == "float32":
        yield (
            'student.dtype = "bfloat16"',
            lambda c: replace(c, method=replace(c.method, dtype="bfloat16")),
        )


def _batch(case: Case) -> Iterator[Option]:
    batch, steps = case.method.trainer.batch, int(case.method.trainer.args.get("gradient_accumulation_steps", 1))
    while batch % 2 == 0 and _takes(case.method.trainer, batch // 2):
        batch, steps = batch // 2, steps * 2
        words = f"trainer.batch = {batch} with trainer.args.gradient_accumulation_steps = {steps}"
        yield words, lambda c, batch=batch: _training(c, batch=batch)


def _recompute(case: Case) -> Iterator[Option]:
    if not case.method.recomputes:
        yield (
            "trainer.args.gradient_checkpointing = true",
            lambda c: _training(c, args={**c.method.trainer.args, "gradient_checkpointing": True}),
        )


def _adapter(case: Case) -> Iterator[Option]:
    if case.method.trainer.lora is None:
        yield f"trainer.lora = {{ rank = {RANK} }}{_room(case)}", lambda c: _training(c, lora=room_for(RANK))


def _four_bits(case: Case) -> Iterator[Option]:
    lora = case.method.trainer.lora
    if case.method.quantized:
        return
    small = (lora or room_for(RANK)).model_copy(update={"quantization": "nf4"})
    fresh = f'trainer.lora = {{ rank = {small.rank}, quantization = "nf4" }}{_room(case)}'
    yield 'trainer.lora.quantization = "nf4"' if lora else fresh, lambda c: _training(c, lora=small)


WAYS = (_sleep, _length, _share, _half, _batch, _recompute, _adapter, _four_bits)


def _room(case: Case) -> str:
    """What a server needs to be told before it takes adapters."""
    return f" with student.engine.rank = {RANK}" if _started(case) else ""


def _takes(trainer: Tuner, batch: int) -> bool:
    """Whether a trainer takes a batch of so many rows: one may want whole groups of them."""
    try:
        type(trainer).model_validate({**dict(trainer), "batch": batch})
    except ValidationError:
        return False
    return True


def _started(case: Case) -> bool:
    return isinstance(case.engine, Vllm) and not case.engine.url


def _serving(case: Case, **settings: object) -> Case:
    return replace(case, engine=case.engine.model_copy(update=settings))


def _training(case: Case, **settings: object) -> Case:
    return replace(case, method=case.method.changed(**settings))
