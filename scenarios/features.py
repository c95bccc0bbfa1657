"""What can be seen of any task that is a text: its words, its length, and what its answer calls."""

import re
from collections import Counter
from collections.abc import Collection, Sequence

from ..memory.talk import Talk, read_calls

RAREST, COMMONEST = 0.01, 0.6
"""Shares of the texts between which a word is worth a feature: rules about rarer ones cannot be tested."""
WORDS = 200
"""Words that become features, the most frequent ones."""


def frequent(texts: Sequence[str]) -> frozenset[str]:
    """Words that enough texts have and enough have not."""
    counts = Counter(word for text in texts for word in set(_words(text)))
    useful = {w: n for w, n in counts.items() if RAREST <= n / len(texts) <= COMMONEST}
    return frozenset(sorted(useful, key=lambda w: (-useful[w], w))[:WORDS])


def seen(text: str, known: Collection[str]) -> set[str]:
    """What can be seen in a text.

    Args:
        text: what is asked.
        known: words that become features.
    """
    words = _words(text)
    found = {f"contains {word}" for word in words if word in known}
    if words and words[0] in known and text.lstrip().casefold().startswith(words[0]):
        found.add(f"starts with {words[0]}")
    if any(c.isdigit() for c in text):
        found.add("has digit")
    return found | {f"words {_bucket(len(text.split()))}", f"characters {_bucket(len(text))}"}


def told(talk: Talk, answer: str) -> set[str]:
    """What can be seen in a conversation: its turns, and what its reference answer calls."""
    found = {f"turns {_bucket(len(talk.messages))}"}
    if not talk.tools:
        return found
    calls = read_calls(answer)[1]
    found |= {f"calls {call.name}" for call in calls} or {"calls nothing"}
    return found | {f"tools {_bucket(len(talk.tools))}"} | ({"calls several times"} if len(calls) > 1 else set())


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.casefold())


def _bucket(count: int) -> str:
    """Give the powers of two that a count lies between, as in `8 to 15`."""
    low = 1 << (count.bit_length() - 1)
    return f"{low} to {2 * low - 1}" if low > 1 else "1"
