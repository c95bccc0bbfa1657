"""Conversations with their tools in the formats that other tools read."""

import json
from typing import Any

from ...memory.talk import Talk, Turn, called, reply, spell

SPEAKERS = {"user": "human", "assistant": "gpt", "tool": "observation"}
"""What ShareGPT calls the roles."""
CALLS = "function_call"


def trl(talk: Talk, answer: str) -> dict[str, Any]:
    """TRL's conversational prompt and completion with tools: the loss lies on the completion."""
    shaped: dict[str, Any] = {"prompt": [dict(t) for t in talk.messages], "completion": [reply(answer, talk.tools)]}
    return {**shaped, "tools": [dict(tool) for tool in talk.tools]} if talk.tools else shaped


def sharegpt(talk: Talk, answer: str) -> dict[str, Any]:
    """ShareGPT with the turns and columns that tool calls have there: system and tools beside the conversation."""
    turns = [*talk.messages, reply(answer, talk.tools)]
    system = "\n".join(str(turn["content"]) for turn in turns if turn["role"] == "system")
    said = [_said(turn) for turn in turns if turn["role"] != "system"]
    functions = [tool["function"] for tool in talk.tools]
    tools = {"tools": json.dumps(functions, ensure_ascii=False)} if functions else {}
    return {"conversations": said, **({"system": system} if system else {}), **tools}


def _said(turn: Turn) -> dict[str, str]:
    calls = called(turn.get("tool_calls") or ()) or ()
    speaker = CALLS if calls else SPEAKERS[turn["role"]]
    return {"from": speaker, "value": spell(str(turn["content"]), calls) if calls else str(turn["content"])}
