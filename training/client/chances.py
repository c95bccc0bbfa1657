"""How likely each of some beginnings of an answer is, as a server tells it: by its likeliest first tokens.

A beginning that is one of these tokens has its chance. One that is none of them is less likely than all of them, and
counts as 0. One that the server spells in several tokens has no chance that could be read off, and is refused.
"""

import math
from collections.abc import Sequence
from typing import Any, cast

from .fault import Fault

LIKELIEST = 20
"""First tokens to be told, the most that servers of this format give."""
NEGLIGIBLE = 0.02
"""Chance of a token that might begin a choice, up to which the choice may be taken for one that is not begun."""


def read(logprobs: object, choices: Sequence[str]) -> tuple[float, ...]:
    """Give the chance of each choice.

    Args:
        logprobs: as they stand in a choice of a reply.
        choices: what an answer may begin with.

    Raises:
        Fault: they are not told, or are not those of a token each.
    """
    if not choices:
        return ()
    told = _likeliest(logprobs)
    return tuple(_chance(choice, told) for choice in choices)


def _chance(choice: str, told: dict[str, float]) -> float:
    if choice in told:
        return min(1.0, told[choice])
    token, chance = max(
        ((t, p) for t, p in told.items() if t and choice.startswith(t)), key=lambda found: found[1], default=("", 0.0)
    )
    if chance > NEGLIGIBLE:
        raise Fault(
            f"the choice {choice!r} is several tokens to this model, the first of them {token!r}; choose one that is a "
            "single token, or a model in this process",
            remedy="fail",
        )
    return 0.0


def _likeliest(logprobs: object) -> dict[str, float]:
    """Chances of the likeliest first tokens."""
    try:
        first: Any = cast("Any", logprobs)["content"][0]["top_logprobs"]
        found: dict[str, float] = {}
        for entry in first:
            token, chance = str(entry["token"]), math.exp(float(entry["logprob"]))
            found[token] = found.get(token, 0.0) + chance
    except (TypeError, KeyError, IndexError, ValueError, OverflowError):
        found = {}
    if not found or not all(math.isfinite(chance) for chance in found.values()):
        raise Fault(
            "the server tells no probabilities of first tokens; use one that has top_logprobs, or a model in this "
            "process",
            remedy="fail",
        )
    return found
