"""What a sample looks like, whatever it says: its length and the form of its answer."""

import json
import re

ITEM = re.compile(r"\s*(?:[-*\u2022]|\d+[.)])\s+\S")
NUMBER = re.compile(r"[+-]?[\d\s.,/%$\u20ac]*\d[\d\s.,/%$\u20ac]*")


def doubling(text: str) -> int:
    """How often one character is doubled to reach a text's length; texts of one class differ by less than twice."""
    return len(text).bit_length()


def form(answer: str) -> str:
    """Name the form of an answer: `number`, `word`, `line`, `list`, `code`, `json` or `text`."""
    said = answer.strip()
    if NUMBER.fullmatch(said):
        return "number"
    if said[:1] in ("{", "[") and _is_json(said):
        return "json"
    if "```" in said:
        return "code"
    lines = said.splitlines()
    if len(lines) < 2:
        return "line" if " " in said else "word"
    return "list" if sum(bool(ITEM.match(line)) for line in lines) * 2 > len(lines) else "text"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
