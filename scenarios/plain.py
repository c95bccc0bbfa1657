"""JSON in an answer: read strictly, and written so that equal values are spelled alike."""

import json
import re
from typing import Any

FENCE = re.compile(r"```(\w*)[ \t]*\n(.*?)```", re.DOTALL)
"""A block of Markdown and its language."""


def fenced(text: str, *languages: str) -> str:
    """Give the last block of one of the languages, or without a language; the whole text where there is none."""
    blocks: list[tuple[str, str]] = FENCE.findall(text)
    found = [body for language, body in blocks if not language or language.lower() in languages]
    return (found[-1] if found else text).strip()


def read_json(text: str) -> Any:
    """Read JSON as the standard has it: no NaN, no infinity, no name twice in an object.

    Raises:
        ValueError: it is none.
    """
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except RecursionError:
        raise ValueError("nested too deep") from None


def canonical(value: Any) -> str:
    """Spell a value in the one way that equal values have: names sorted, 1.0 as 1, true apart from 1."""
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return made


def _constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
