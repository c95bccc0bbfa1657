"""The proof that a server answers with the weights it should: its greedy tokens against the weights on disk.

The same tokens alone could be said by two rounds of one student, so their log-probabilities are compared as well. The
prompts are arbitrary tokens: there two students differ where on a trained task both are right.
"""

import asyncio
from random import Random
from typing import Any

from ...memory.errors import EvolventError
from .launch import NAME
from .weights import Weights
from .wire import Wire

PROMPTS = 8
LENGTH = 8
"""Tokens of a prompt."""
ANSWER = 8
"""Tokens of an answer."""
TOLERANCE = {"float32": 0.01}
"""Difference of log-probabilities, in nats, that rounding explains."""
COARSE = 0.3
"""The same where numbers have half the bits."""
SECONDS = 120.0
"""Wall-clock time the server's part may take."""


class Mismatch(EvolventError):
    """A server answers with other weights than those on disk."""


async def prove(wire: Wire, model: str, weights: Weights, *, dtype: str) -> None:
    """Compare what a server says with what the weights on disk hold most likely.

    Args:
        wire: the server.
        model: what the weights are called there.
        weights: what it should answer with.
        dtype: what it computes in.

    Raises:
        Mismatch: naming the first token that does not stand.
    """
    # in a thread: a large student takes minutes, in which other work goes on
    loaded = await asyncio.to_thread(load, weights)
    prompts = _prompts(int(loaded.config.vocab_size))
    body = {
        "model": model,
        "prompt": prompts,
        "max_tokens": ANSWER,
        "temperature": 0.0,
        "logprobs": 0,
        "return_token_ids": True,
        "ignore_eos": True,
    }
    said = await wire.post("/v1/completions", body, seconds=SECONDS)
    choices = sorted(said["choices"], key=lambda c: c["index"])
    rows = [prompt + choice["token_ids"] for prompt, choice in zip(prompts, choices, strict=True)]
    told = [choice["logprobs"]["token_logprobs"] for choice in choices]
    tolerance = TOLERANCE.get(dtype, COARSE)
    await asyncio.to_thread(_compare, loaded, rows, told, tolerance, f"{model} at {wire.url}", weights)


def load(weights: Weights) -> Any:
    """Load the model from disk, with its adapter where it has one."""
    from .. import checkpoint

    model, _ = checkpoint.load(weights.base, exact=True)
    if weights.rank:
        from peft import PeftModel

        return PeftModel.from_pretrained(model, str(weights.path)).eval()
    return model.eval()


def _prompts(vocabulary: int) -> list[list[int]]:
    draw = Random(NAME)
    return [[draw.randrange(vocabulary) for _ in range(LENGTH)] for _ in range(PROMPTS)]


def _compare(
    model: Any, rows: list[list[int]], told: list[list[float]], tolerance: float, who: str, weights: Weights
) -> None:
    import torch

    ids_RT = torch.tensor(rows)
    with torch.inference_mode():
        held_RTV = model(input_ids=ids_RT, use_cache=False).logits[:, LENGTH - 1 : -1].float().log_softmax(-1)
    said_RT = held_RTV.gather(-1, ids_RT[:, LENGTH:, None])[..., 0]
    off_RT = torch.maximum((said_RT - torch.tensor(told)).abs(), held_RTV.amax(-1) - said_RT)
    if float(off_RT.max()) > tolerance:
        right = int((off_RT <= tolerance).sum())
        raise Mismatch(
            f"{who}: {right} of {off_RT.numel()} greedy tokens are those of {weights.path} ({weights.digest}); "
            "the server holds other weights"
        )
