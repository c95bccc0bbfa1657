"""Markdown in which a text of a model stays text: it cannot open a tag, a link, a formula or a new line."""

import re
from collections.abc import Iterable, Sequence

from ...memory.display import visible

ACTIVE = re.compile(r"([\\`*_{}\[\]()<>#!|~&:@$^])")
"""Characters that mean something inside a line; those that do at its beginning alone never get there."""
LONGEST = 300
"""Characters shown of one text."""
FENCE = "```"


def plain(text: object) -> str:
    """Give any value as one line of text."""
    shown = " ".join(visible(str(text)).split())
    cut = shown if len(shown) <= LONGEST else f"{shown[:LONGEST]} …"
    return ACTIVE.sub(r"\\\1", cut)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Build a table; every cell is text."""
    lines = [head, ["---"] * len(head), *([plain(cell) for cell in row] for row in rows)]
    return ["", *(f"| {' | '.join(line)} |" for line in lines), ""]


def fenced(text: str, language: str = "") -> list[str]:
    """Show a text as it is; the fence is longer than any inside."""
    shown = visible(text).strip("\n")
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * max(len(FENCE), longest + 1)
    return ["", f"{fence}{language}", shown, fence, ""]
