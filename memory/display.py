"""Text from models and servers, safe to show: what a reader cannot see and a terminal would obey becomes its escape."""

import unicodedata

UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories a reader cannot see: ANSI escapes, bidi controls, zero-width characters, lone surrogates."""
KEPT = "\n\t"
"""Control characters that stay what they are."""
WIDTH = 300
"""Characters shown of one text in a line."""


def visible(text: str) -> str:
    r"""Show what cannot be seen as its escape, such as `\x1b` or `\u202e`."""
    return "".join(map(_character, text))


def line(text: str, *, most: int = WIDTH) -> str:
    """Show a text in one line of at most so many characters; what is left out is counted."""
    shown = visible(text).replace("\n", "\\n").replace("\t", "\\t")
    return shown if len(shown) <= most else f"{shown[:most]}… ({len(shown) - most:,} more characters)"


def _character(c: str) -> str:
    if c in KEPT or unicodedata.category(c) not in UNSEEN:
        return c
    number = ord(c)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
