"""What can be seen in any prompt, and what a file says of it: the vocabulary that hypotheses are built from."""

import re
from collections import Counter
from collections.abc import Collection, Sequence

RAREST, COMMONEST = 0.01, 0.6
"""Shares of the prompts between which a word is worth a feature: rules about rarer ones cannot be tested."""
WORDS = 200
"""Words that become features, the most frequent ones."""


def frequent(prompts: Sequence[str]) -> frozenset[str]:
    """Words that enough prompts have and enough have not."""
    counts = Counter(word for prompt in prompts for word in set(_words(prompt)))
    useful = {w: n for w, n in counts.items() if RAREST <= n / len(prompts) <= COMMONEST}
    return frozenset(sorted(useful, key=lambda w: (-useful[w], w))[:WORDS])


def features(prompt: str, said: Collection[str], frequent: Collection[str]) -> tuple[str, ...]:
    """Features of a prompt, sorted: what is said of it, and what can be seen in it.

    Args:
        prompt: the prompt.
        said: what its file says of it.
        frequent: words that are worth a feature.
    """
    words = _words(prompt)
    found = {str(feature) for feature in said}
    found |= {f"contains {word}" for word in words if word in frequent}
    if words and words[0] in frequent and prompt.lstrip().casefold().startswith(words[0]):
        found.add(f"starts with {words[0]}")
    if any(c.isdigit() for c in prompt):
        found.add("has digit")
    found |= {f"words {_bucket(len(prompt.split()))}", f"characters {_bucket(len(prompt))}"}
    return tuple(sorted(found))


def _words(prompt: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", prompt.casefold())


def _bucket(count: int) -> str:
    """Give the powers of two that a count lies between, as in `8 to 15`."""
    low = 1 << (count.bit_length() - 1)
    return f"{low} to {2 * low - 1}" if low > 1 else "1"
