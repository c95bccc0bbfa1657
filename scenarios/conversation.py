"""A row that holds a conversation: `messages` and `tools` as the chat format has them, the last turn being the answer.

Whatever a template or a verifier would stumble over later is refused here, with the turn it is in.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..memory.errors import PartError, suggest
from ..memory.talk import DEEPEST, Call, Talk, Turn, call_of, call_turn, spell

ROLES = ("system", "user", "assistant", "tool")
SHOWN = 60
"""Characters of a value in a message."""


class Conversation(NamedTuple):
    """A row as a task."""

    talk: Talk | None
    """None where the row is one question and its answer, without tools."""
    prompt: str
    answer: str


def converse(where: str, messages: object, tools: object) -> Conversation:
    """Read a conversation.

    Args:
        where: file and line, for messages.
        messages: turns, or their JSON as a text.
        tools: schemas of functions, or their JSON as a text; None where there are none.

    Raises:
        PartError: it is none, with the turn and the way out.
    """
    schemas = [_tool(where, tool) for tool in _listed(where, "tools", tools or [])]
    names = [str(schema["function"]["name"]) for schema in schemas]
    if (twice := next((name for name in names if names.count(name) > 1), None)) is not None:
        raise PartError(f"{where}: tools holds {twice!r} twice; keep one")
    given = _listed(where, "messages", messages)
    if len(given) < 2:
        raise PartError(f"{where}: messages has {len(given)} turns; write a question and its answer at least")
    *before, last = _turns(where, given, names)
    if last["role"] != "assistant":
        raise PartError(
            f"{where}: the last turn is of {last['role']!r}; end with the assistant's, which is the reference answer"
        )
    answer = spell(last["content"].strip(), [Call(**_only(call)) for call in last.get("tool_calls", ())])
    if not answer.strip():
        raise PartError(f"{where}: the last turn is empty; write what the assistant says or calls")
    talk = Talk(messages=tuple(before), tools=tuple(schemas))
    if re.search("[\ud800-\udfff]", talk.text() + answer):
        raise PartError(f"{where}: messages or tools hold half a surrogate pair, which is no character; remove it")
    if not schemas and [turn["role"] for turn in before] == ["user"]:
        return Conversation(None, before[0]["content"], answer)
    return Conversation(talk, talk.text(), answer)


def _turns(where: str, given: Sequence[object], names: Sequence[str]) -> Iterator[Turn]:
    """Turns with contents as texts, arguments as objects, and calls numbered."""
    count = 0
    waiting: dict[str, tuple[str, str]] = {}
    for number, turn in enumerate(given, start=1):
        place = f"{where}: turn {number}"
        if not isinstance(turn, dict):
            raise PartError(f"{place} is {_cut(turn)}; write an object with role and content")
        role = turn.get("role")
        if role not in ROLES:
            near = suggest(role, list(ROLES)) if isinstance(role, str) else ""
            raise PartError(f"{place} is of role {_cut(role)}; known: {', '.join(ROLES)}{near}")
        calls = [_call(place, call, names) for call in turn.get("tool_calls") or ()] if role == "assistant" else []
        made: dict[str, Any] = {"role": role, "content": _content(place, turn.get("content"), empty=bool(calls))}
        if calls:
            made["tool_calls"] = [call_turn(call, count + i) for i, (call, _) in enumerate(calls)]
            waiting = {
                given or own["id"]: (own["id"], call.name)
                for own, (call, given) in zip(made["tool_calls"], calls, strict=True)
            }
            count += len(calls)
        if role == "tool":
            made |= _answered(place, turn, waiting)
        yield made


def _answered(place: str, turn: dict[str, Any], waiting: dict[str, tuple[str, str]]) -> dict[str, str]:
    """Say which call a tool answers: the one it names, or the first that has no answer yet."""
    wanted = turn.get("tool_call_id")
    if wanted not in waiting and (wanted or not waiting):
        which = f"call {_cut(wanted)}, and the assistant made none" if wanted else "no call"
        raise PartError(f"{place}: the tool answers {which}; put it after the turn that calls it, once a call")
    id, name = waiting.pop(wanted if wanted in waiting else next(iter(waiting)))
    return {"tool_call_id": id, "name": name}


def _call(place: str, call: object, names: Sequence[str]) -> tuple[Call, str]:
    """A call and the id it has in the row."""
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(call, dict) or not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise PartError(f"{place}: {_cut(call)} is no call; write {{'function': {{'name': ..., 'arguments': ...}}}}")
    name, arguments = function["name"], function.get("arguments")
    if (made := call_of(name, arguments)) is None:
        raise PartError(
            f"{place} calls {name!r} with arguments {_cut(arguments)}; write the JSON of an object of whole "
            f"characters, {DEEPEST} deep at most"
        )
    if name not in names:
        known = ", ".join(names[:10]) or "none"
        raise PartError(
            f"{place} calls {name!r}, which tools does not hold{suggest(name, list(names))}; known: {known}"
        )
    return made, str(call.get("id") or "")


def _only(call: dict[str, Any]) -> dict[str, Any]:
    return {name: call["function"][name] for name in Call._fields}


def _content(place: str, value: object, *, empty: bool) -> str:
    """What a turn says; only one that calls may say nothing."""
    if isinstance(value, list):
        value = "".join(_part(place, part) for part in value)
    if value is None and empty:
        return ""
    if not isinstance(value, str):
        raise PartError(f"{place}: content is {_cut(value)}; write a text")
    return value


def _part(place: str, part: object) -> str:
    if isinstance(part, dict) and part.get("type") == "text" and isinstance(text := part.get("text"), str):
        return text
    raise PartError(f"{place}: content holds {_cut(part)}; only texts can be taught")


def _tool(where: str, tool: object) -> dict[str, Any]:
    """A schema in the form of the chat format; one without the frame around it gets it."""
    framed = tool if isinstance(tool, dict) and "function" in tool else {"type": "function", "function": tool}
    function = framed["function"]
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(name, str) or not name:
        raise PartError(
            f"{where}: tools holds {_cut(tool)}, which has no name; write {{'name': ..., 'parameters': ...}}"
        )
    return framed


def _listed(where: str, column: str, value: object) -> list[Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise PartError(f"{where}: {column} is {_cut(value)}; write a list, or its JSON") from None
    if not isinstance(value, list):
        raise PartError(f"{where}: {column} is {_cut(value)}; write a list")
    return _filled(value)


def _filled(value: Any) -> Any:
    """Without what is null: tables give every turn the fields that any turn has."""
    if isinstance(value, dict):
        return {name: _filled(part) for name, part in value.items() if part is not None}
    return [_filled(part) for part in value] if isinstance(value, list) else value


def _cut(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
