"""A text with columns in it: `{column}` stands for the column's value, `{{` and `}}` for a brace, and nothing else.

There is no code in it: what stands between braces is the name of a column, letter by letter, dots and all.
"""

import re
from collections.abc import Callable

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")


def is_template(text: str) -> bool:
    """Whether a text is a template and not the name of a column."""
    return "{" in text or "}" in text


def check(template: str) -> None:
    """Refuse a template with a brace that belongs to nothing.

    Raises:
        ValueError: with the place and the way out.
    """
    rest = _PIECE.sub(lambda found: " " * len(found[0]), template)
    if (at := min((rest.find(brace) for brace in "{}" if brace in rest), default=-1)) >= 0:
        raise ValueError(
            f"{template!r} has a brace that belongs to no column at character {at + 1}; write {{column}}, and {{{{ or "
            "}} for a brace itself"
        )


def fill(template: str, value: Callable[[str], str]) -> str:
    """Put values in the place of columns; braces in a value stay as they are.

    Args:
        template: one that `check` accepts.
        value: what a column holds, as text.
    """
    return _PIECE.sub(lambda found: value(found[1]) if found[1] else found[0][0], template)
