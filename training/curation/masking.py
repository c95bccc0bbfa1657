"""What must not be learned, found in the words of samples: the sample goes, or what was found is written over."""

from collections.abc import Callable, Sequence
from typing import Literal

from .enhancer import AS_IS, Change
from .pool import Pool

Action = Literal["refuse", "mask"]
Span = tuple[int, int, str]
"""Start, end and kind of something found in a text."""


def mask(
    pool: Pool, find: Callable[[str], Sequence[Span]], *, action: Action, mark: Callable[[str], str]
) -> list[Change]:
    """Refuse the samples in which something is found, or write over it.

    Args:
        pool: the samples. Of a conversation only the answer can be written over; what has more to hide is refused.
        find: gives what is in a text.
        action: what is done.
        mark: gives what stands for a kind afterwards; reasons name kinds too, never what was found.
    """
    changes: list[Change] = []
    for row, prompt in zip(pool.rows, pool.prompts, strict=True):
        asked, said = find(prompt), find(row.answer)
        if not asked and not said:
            changes.append(AS_IS)
        elif action == "refuse" or (asked and not isinstance(row.question, str)):
            kinds = sorted({kind for *_, kind in (*asked, *said)})
            changes.append(Change(refused=f"holds {', '.join(kinds)}"))
        else:
            question = cover(prompt, asked, mark) if asked else None
            changes.append(Change(question, cover(row.answer, said, mark) if said else None))
    return changes


def cover(text: str, found: Sequence[Span], mark: Callable[[str], str]) -> str:
    """Write over what was found, overlapping finds as one."""
    parts: list[str] = []
    done = 0
    for start, end, kind in merge(found):
        parts += [text[done:start], mark(kind)]
        done = end
    return "".join([*parts, text[done:]])


def merge(found: Sequence[Span]) -> list[Span]:
    """Spans without overlap; of two that do the kind of the earlier and longer one stays."""
    merged: list[Span] = []
    for start, end, kind in sorted(found, key=lambda s: (s[0], -s[1], s[2])):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]), merged[-1][2])
        else:
            merged.append((start, end, kind))
    return merged
