"""What teachers and judges were told and said, as messages of the Hub's trace viewer, by the spans of their calls."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ...memory.account import ANSWERS
from ...memory.conventions import CHAT, OPERATION
from ...memory.reading import Run
from ...memory.responses import exchange
from ...training.client import chat
from ...training.client.fault import Fault
from ..reports.summary import Json

MOST = 200
"""Calls of one step that are written out; the others are counted."""


class Call(NamedTuple):
    """One call of a model that was answered."""

    started: float
    seconds: float
    key: str
    """Under which its answer is kept."""


class Talk:
    """The calls of a run, in the order in which they began."""

    def __init__(self, run: Run) -> None:
        self._answers = run.path / ANSWERS
        self._told: set[str] = set()
        self._ids: dict[tuple[str, str], str] = {}
        """Id that the model gave to a call of a tool, by what was called."""
        found = (
            Call(span.started, span.seconds, str(span.attributes["answer"]))
            for some in run.trace.all()
            for span in some
            if span.attributes.get(OPERATION) == CHAT and "answer" in span.attributes and span.status == "ok"
        )
        self._calls = sorted(found) if self._answers.is_file() else []

    def between(self, since: float, until: float) -> Iterator[Json]:
        """Messages of the calls that began in this time, in seconds since 1970."""
        own = [call for call in self._calls if since <= call.started <= until]
        for call in own[:MOST]:
            yield from self._messages(call)
        if len(own) > MOST:
            yield {"role": "system", "content": f"… and {len(own) - MOST:,} more calls"}

    def _messages(self, call: Call) -> Iterator[Json]:
        kept = exchange(self._answers, call.key)
        if kept is None or not kept[1]:
            return
        role, asked, said = kept
        for turn in self._turns(asked):
            content = str(turn.get("content") or "")
            if turn["role"] != "system" or content not in self._told:
                self._told |= {content}
                answered = {"toolCallId": turn["tool_call_id"]} if "tool_call_id" in turn else {}
                yield {"role": turn["role"], "content": content, **answered, "timestamp": _moment(call.started)}
        try:
            completion, model = chat.read(said, samples=1)
        except Fault:  # several samples, or what an older version kept
            completion, model = None, role
        calls = [_tool(call) for call in completion.calls] if completion else []
        self._ids |= {(call["function"]["name"], call["function"]["arguments"]): call["id"] for call in calls}
        yield {
            "role": "assistant",
            "content": completion.text if completion else said,
            "model": f"{model} ({role})",
            **({"reasoningContent": completion.reasoning} if completion and completion.reasoning else {}),
            **({"toolCalls": calls} if calls else {}),
            "timestamp": _moment(call.started + call.seconds),
        }

    def _turns(self, asked: str) -> Sequence[Json]:
        """System prompt, and whatever was said since the model spoke last; what came before is there already.

        The agent gives calls of tools ids of its own before it answers them; here they get the model's back.
        """
        turns: list[Json] = json.loads(asked)["messages"]
        last = max((i for i, turn in enumerate(turns) if turn["role"] == "assistant"), default=-1)
        called = [_tool(call) for call in turns[last].get("tool_calls") or ()] if last >= 0 else []
        names = {c["id"]: self._ids.get((c["function"]["name"], c["function"]["arguments"]), c["id"]) for c in called}
        kept = [turn for i, turn in enumerate(turns) if turn["role"] == "system" or i > last]
        return [
            {**turn, "tool_call_id": names.get(turn["tool_call_id"], turn["tool_call_id"])}
            if "tool_call_id" in turn
            else turn
            for turn in kept
        ]


def _tool(call: Any) -> Json:
    function = call.get("function") or {}
    known = {"name": str(function.get("name", "")), "arguments": str(function.get("arguments", ""))}
    return {"id": str(call.get("id", "")), "function": known}


def _moment(seconds: float) -> int:
    return int(seconds * 1_000)
