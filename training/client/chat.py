"""The words of the chat format: a request as its JSON body, and a reply as a completion.

What is not an answer is a fault, never an empty completion: an HTML page, an error object with status 200, no choices.
"""

import json
from collections.abc import Mapping
from typing import Any, cast

from ...memory.inference import Completion, Request
from .fault import Fault

PATH = "/chat/completions"
EXCERPT = 120
"""Characters of a reply that a reason shows."""
WHOLE = ("stop", "tool_calls", "function_call")
"""Ways an answer ends that leave nothing out."""


def compose(request: Request, *, model: str) -> dict[str, Any]:
    """Give the body of a request; what it does not ask for is left out, since servers differ in what they know."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [dict(turn) for turn in request.conversation()],
        "max_tokens": request.longest,
        "temperature": request.temperature,
    }
    if request.temperature > 0:
        body["seed"] = request.seed
    if request.top_p != 1:
        body["top_p"] = request.top_p
    if request.samples != 1:
        body["n"] = request.samples
    if request.stop:
        body["stop"] = list(request.stop)
    if request.tools:
        body["tools"] = [dict(tool) for tool in request.tools]
    if request.schema is not None:
        # `guided_json`, which older servers had, is ignored by newer ones with status 200
        form = {"name": "answer", "schema": dict(request.schema), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    return body


def read(text: str, *, samples: int = 1) -> tuple[Completion, str]:
    """Read a reply; give the completion and the model that the server says it came from.

    Raises:
        Fault: it is not an answer to a chat request.
    """
    reply = _parse(text)
    choices = reply.get("choices")
    if not isinstance(choices, list) or len(cast("list[Any]", choices)) != samples:
        raise _foreign(f"not {samples} choices", text)
    usage = _usage(reply, text)
    made = [_choice(choice, text) for choice in cast("list[Any]", choices)]
    first = made[0]
    completion = Completion(
        first.text, usage[1], first.complete, first.reasoning, first.finish, usage[0], first.calls, tuple(made[1:])
    )
    return completion, str(reply.get("model", ""))


def _parse(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise _foreign("not JSON", text) from None
    if not isinstance(value, dict):
        raise _foreign("no JSON object", text)
    return cast("dict[str, Any]", value)


def _choice(choice: Any, text: str) -> Completion:
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        raise _foreign("a choice without a message", text)
    told = cast("dict[str, Any]", message)
    said = _string(told.get("content"), text)
    thought = _string(told.get("reasoning") or told.get("reasoning_content"), text)
    finish = _string(choice.get("finish_reason"), text)
    calls = tuple(call for call in cast("list[Any]", told.get("tool_calls") or []) if isinstance(call, dict))
    return Completion(said, 0, finish in WHOLE, thought, finish, 0, calls)


def _string(value: Any, text: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _foreign(f"a {type(value).__name__} where text is due", text)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _foreign("text with half a character", text) from None
    return value


def _usage(reply: Mapping[str, Any], text: str) -> tuple[int, int]:
    """Tokens of prompt and answer; a server that does not count them would make every budget void."""
    told = reply.get("usage")
    if not isinstance(told, dict):
        raise _foreign("no usage", text)
    usage = cast("dict[str, Any]", told)
    counts = usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0)
    if not all(isinstance(count, int) and count >= 0 for count in counts):
        raise _foreign("usage that is no count", text)
    return counts


def _foreign(what: str, text: str) -> Fault:
    begins = " ".join(text[:EXCERPT].split())
    return Fault(f"the reply is not an answer of a model ({what}); it begins {begins!r}", remedy="retry")
