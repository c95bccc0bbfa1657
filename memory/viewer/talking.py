"""Conversations on a page: a row a turn, and the tools that may be called."""

import json

from ..talk import Talk, called, spell
from .markup import code, safe


def turns(talk: Talk) -> list[list[str]]:
    """Rows of a table: who speaks, and what is said or called."""
    rows: list[list[str]] = []
    for turn in talk.messages:
        calls = called(turn.get("tool_calls") or ()) or ()
        who = f"{turn['role']} {turn.get('name', '')}".strip()
        rows.append([safe(who), code(spell(str(turn["content"]), calls) if calls else turn["content"])])
    return [*rows, *([safe(f"may call {name}"), _schema(talk, place)] for place, name in enumerate(talk.names))]


def _schema(talk: Talk, place: int) -> str:
    return code(json.dumps(talk.tools[place]["function"], ensure_ascii=False))
