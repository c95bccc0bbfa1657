"""How often the same data is trained on, what the repetition is still worth, and when to say so.

Repeating data is nearly as good as fresh data for about four passes, and worth less with every further one; the more
numbers a model has for each token it sees, the sooner. So a plan is judged before anything is spent.

Sources: Muennighoff et al. 2023, arXiv:2305.16264 (four passes; the decay); Xue et al. 2023, arXiv:2305.13230 (the
number of tokens and of weights decide); Hoffmann et al. 2022, arXiv:2203.15556 (20 tokens a weight).
"""

import math
from typing import NamedTuple

FRESH = 4.0
"""Passes up to which repeated data is nearly as good as fresh data."""
DECAY = 15.4
"""Repeated passes after which one more is worth 1/e of a fresh one; fitted on language models trained from nothing."""
ENOUGH = 20.0
"""Distinct tokens per trained weight from which a model of this size is not too large for its data."""


class Repetition(NamedTuple):
    """What a plan comes to."""

    passes: float
    """Times that every token is trained on."""
    tokens_each: float
    """Distinct tokens per trained weight."""
    worth: float
    """Passes over fresh data that would be worth as much; at most `1 + DECAY`."""
    alarm: str
    """What to be wary of and what to do; empty where there is nothing."""


def foresee(tokens: int, weights: int, passes: float) -> Repetition:
    """Judge a plan to train.

    It is alarming where data is repeated more than `FRESH` times and there are fewer than `ENOUGH` tokens per weight:
    either alone is common and does no harm.

    Args:
        tokens: distinct ones that are trained on, at least 0.
        weights: numbers that are trained, of an adapter alone where it is one; at least 1.
        passes: over all tokens, above 0.
    """
    each = tokens / weights
    worth = passes if passes <= 1 else 1 + DECAY * -math.expm1(-(passes - 1) / DECAY)
    if passes <= FRESH or each >= ENOUGH:
        return Repetition(passes, each, worth, "")
    alarm = (
        f"{tokens:,} distinct tokens are repeated {passes:.3g} times for {weights:,} weights ({each:.2g} tokens each); "
        f"that is worth about {worth:.2g} passes over fresh data. More samples help most; else fewer epochs, an "
        "adapter, or for a large student trainer.dropout"
    )
    return Repetition(passes, each, worth, alarm)
