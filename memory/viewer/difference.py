"""Two texts side by side, letter by letter: what only the one has is struck, what only the other has is underlined."""

from difflib import SequenceMatcher
from typing import NamedTuple

from .markup import LONGEST, code, safe


class Sides(NamedTuple):
    """Two texts as HTML."""

    left: str
    right: str


def compare(left: str, right: str) -> Sides:
    """Mark what differs; equal and empty texts carry no marks, and long ones are cut as everywhere."""
    if left == right or not left or not right:
        return Sides(code(left), code(right))
    a, b = left[:LONGEST], right[:LONGEST]
    steps = SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    before = "".join(_part("del", a[i:j], same=tag == "equal") for tag, i, j, _, _ in steps)
    after = "".join(_part("ins", b[i:j], same=tag == "equal") for tag, _, _, i, j in steps)
    return Sides(f"<code>{before}</code>{_rest(left)}", f"<code>{after}</code>{_rest(right)}")


def _part(kind: str, text: str, *, same: bool) -> str:
    return "" if not text else safe(text) if same else f"<{kind}>{safe(text)}</{kind}>"


def _rest(text: str) -> str:
    more = len(text) - LONGEST
    return f' <span class="none">… {more:,} more characters</span>' if more > 0 else ""
