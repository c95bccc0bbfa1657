"""A conversation as a task: the turns before the answer, and the tools that may be called in it.

Turns are as the chat format has them, with three things settled: content is a text, arguments are an object, and ids of
calls are numbered. Models get the turns; people, embeddings and comparisons get their text. An answer is a text
wherever it is kept, and one that calls tools ends with a line that holds the calls as JSON.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

from pydantic import BaseModel, ConfigDict

DEEPEST = 64
"""Objects and lists within each other that arguments may have; a text may nest until whoever reads it falls over."""

Turn = Mapping[str, Any]
"""One message of the chat format."""


class Call(NamedTuple):
    """A call of one tool."""

    name: str
    arguments: Mapping[str, Any]


class Talk(BaseModel):
    """What was said before the answer, and what may be called."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    messages: tuple[Turn, ...]
    tools: tuple[Mapping[str, Any], ...] = ()
    """JSON schemas of functions, as the chat format has them."""

    def __hash__(self) -> int:
        return hash(self.text())

    def text(self) -> str:
        """Everything in it to read: a line a turn, further lines of a turn indented, and the tools last."""
        lines = [_line(turn) for turn in self.messages]
        return "\n".join([*lines, *(f"may call: {_json(tool)}" for tool in self.tools)])

    def own(self) -> str:
        """What is said and called, without the instructions, tools and roles that many conversations share.

        Instructions are all there is to tell conversations apart by where nothing else is said.
        """
        said = "\n".join(part for turn in self.messages if turn["role"] != "system" for _, part in _parts(turn))
        return said if said.strip() else "\n".join(part for turn in self.messages for _, part in _parts(turn))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tools."""
        return tuple(str(tool["function"]["name"]) for tool in self.tools)


Question = str | Talk
"""What a model is asked: what a user says, or a conversation."""


def tools_of(question: Question) -> tuple[Mapping[str, Any], ...]:
    """Tools that may be called in an answer."""
    return question.tools if isinstance(question, Talk) else ()


def text_of(question: Question) -> str:
    """A question to read."""
    return question.text() if isinstance(question, Talk) else question


def spell(content: str, calls: Sequence[Call]) -> str:
    """Give an answer as its text: what it says, and on a last line what it calls."""
    if not calls:
        # a line of its own at the end tells calls that were only talked of from calls that were made
        return f"{content}\n" if read_calls(content)[1] else content
    called = _json([{"name": call.name, "arguments": call.arguments} for call in calls])
    return f"{content}\n{called}" if content else called


def read_calls(answer: str) -> tuple[str, list[Call]]:
    """What an answer says and what it calls: `spell` the other way round."""
    content, _, last = answer.rpartition("\n")
    if not last.startswith('[{"name":'):
        return answer, []
    try:
        calls = [Call(**call) for call in json.loads(last)]
    except (ValueError, TypeError, RecursionError):
        return answer, []
    made = [call_of(call.name, call.arguments) for call in calls]
    return (answer, []) if None in made else (content, calls)


def reply(answer: str, tools: Sequence[Mapping[str, Any]]) -> Turn:
    """Give an answer as the turn it is; calls are calls only where there are tools."""
    content, calls = read_calls(answer) if tools else (answer, [])
    made = {"tool_calls": [call_turn(call, number) for number, call in enumerate(calls)]} if calls else {}
    return {"role": "assistant", "content": content, **made}


def call_turn(call: Call, number: int) -> dict[str, Any]:
    """A call as the chat format has it.

    Args:
        call: what is called.
        number: of the call in its conversation.
    """
    # some templates insist on nine letters and digits
    function = {"name": call.name, "arguments": dict(call.arguments)}
    return {"type": "function", "id": f"call{number:05}", "function": function}


def wired(turn: Turn) -> dict[str, Any]:
    """A turn as endpoints want it: arguments are a text."""
    if not turn.get("tool_calls"):
        return dict(turn)
    return {**turn, "tool_calls": [_wired(call) for call in turn["tool_calls"]]}


def called(calls: Sequence[Mapping[str, Any]]) -> list[Call] | None:
    """Read calls of the chat format, arguments as a text or an object; None where one is none."""
    found: list[Call] = []
    for call in calls:
        function = call.get("function")
        made = call_of(function.get("name"), function.get("arguments")) if isinstance(function, dict) else None
        if made is None:
            return None
        found.append(made)
    return found


def call_of(name: object, arguments: object) -> Call | None:
    """A call from a name and arguments, which may be the JSON of an object; None where it is none.

    Nor is it one where it cannot be kept: with half a character in it, or nested deeper than `DEEPEST`.
    """
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return None
    if not isinstance(name, str) or not name or not isinstance(arguments, dict) or not _whole([name, arguments]):
        return None
    return Call(name, cast("dict[str, Any]", arguments))


def _wired(call: Mapping[str, Any]) -> dict[str, Any]:
    function = call["function"]
    given = function["arguments"]
    return {**call, "function": {**function, "arguments": given if isinstance(given, str) else _json(given)}}


def _line(turn: Turn) -> str:
    who = f"tool {turn['name']}" if turn["role"] == "tool" and turn.get("name") else str(turn["role"])
    return "\n".join(f"{who}{joint}{part}".replace("\n", "\n  ") for joint, part in _parts(turn))


def _parts(turn: Turn) -> Iterator[tuple[str, str]]:
    """What a turn says and each call of it, with what stands between the speaker and that."""
    calls = called(turn.get("tool_calls") or ()) or ()
    if turn.get("content") or not calls:
        yield ": ", str(turn.get("content") or "")
    for call in calls:
        yield " calls ", f"{call.name}({_json(call.arguments)})"


def _whole(value: object, deep: int = -1) -> bool:
    """Whether JSON can be kept: half a surrogate pair, which an escape may stand for, has no place in UTF-8."""
    if isinstance(value, str):
        return not re.search("[\ud800-\udfff]", value)
    if not isinstance(value, list | dict):
        return True
    parts = [*value, *value.values()] if isinstance(value, dict) else value
    return deep < DEEPEST and all(_whole(part, deep + 1) for part in parts)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
