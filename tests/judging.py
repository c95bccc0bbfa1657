"""Judges of sums written ones first, seeing only what they are shown: a sound one, and biased ones."""

import random
from collections.abc import Callable, Mapping

from .endpoint import work

LONG = 100
"""Characters from which an answer is long."""

Shown = Mapping[str, str]
"""Question and answer, in the order in which a judge is shown them."""
Judge = Callable[[Shown, str], str]
"""A judge's verdict of what it is shown, in a prompt."""


def solve(question: str) -> str:
    """Work a sum as wide as the source writes it."""
    wide = max(question.find("+"), question.find("*")) + 1
    return work(question).ljust(wide or question.find("-"), "0")


def sound(shown: Shown, prompt: str) -> str:
    """Work the sum."""
    del prompt
    return "perfect" if solve(shown["question"]) == shown["answer"] else "bad"


def constant(shown: Shown, prompt: str) -> str:
    """Like everything."""
    del shown, prompt
    return "perfect"


def by_length(shown: Shown, prompt: str) -> str:
    """Work the sum, and believe whoever says much."""
    return "perfect" if len(shown["answer"]) > LONG else sound(shown, prompt)


def by_position(shown: Shown, prompt: str) -> str:
    """Work the sum, and believe an answer that comes before its question."""
    return "perfect" if next(iter(shown)) == "answer" else sound(shown, prompt)


def credulous(shown: Shown, prompt: str) -> str:
    """Work the sum, and find nothing wrong with saying nothing."""
    return sound(shown, prompt) if any(c.isdigit() for c in shown["answer"]) else "acceptable"


def noisy(seed: int, error: float = 0.05) -> Judge:
    """A judge that errs now and then."""

    def judge(shown: Shown, prompt: str) -> str:
        said = sound(shown, prompt)
        errs = random.Random(f"{seed}/{prompt}").random() < error
        return {"perfect": "bad", "bad": "perfect"}[said] if errs else said

    return judge


def generous(shown: Shown, prompt: str) -> str:
    """Work the sum, and give half for one digit of it."""
    near = len(shown["answer"]) == 1 and shown["answer"] in solve(shown["question"])
    return "acceptable" if near else sound(shown, prompt)


def literal(shown: Shown, prompt: str) -> str:
    """Compare with the reference, letter by letter."""
    del prompt
    return "perfect" if shown["answer"] == shown["reference"] else "bad"
