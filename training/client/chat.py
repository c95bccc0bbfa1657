"""The words of the chat format: a request as its JSON body, and a reply as a completion.

What is not an answer is a fault, never an empty completion: an HTML page, an error object with status 200, no choices.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from ...memory.inference import Completion, Request
from ...memory.talk import wired
from . import chances
from .fault import Fault, Remedy

PATH = "/chat/completions"
EXCERPT = 120
"""Characters of a reply that a reason shows."""
WHOLE = ("stop", "tool_calls", "function_call")
"""Ways an answer ends that leave nothing out."""
COUNTABLE = 10**9
"""Tokens that one reply may have cost; more is an error of the server, and would not fit into the store."""


class Usage(NamedTuple):
    """Tokens that a reply cost."""

    prompt_tokens: int
    tokens: int
    """Of the answers."""


FREE = Usage(0, 0)
"""What samples after the first cost; the first has it all."""


def compose(request: Request, *, model: str) -> dict[str, Any]:
    """Give the body of a request; what it does not ask for is left out, since servers differ in what they know."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [wired(turn) for turn in request.conversation()],
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
    if request.choices:
        body |= {"logprobs": True, "top_logprobs": chances.LIKELIEST}
    if request.schema is not None:
        # `guided_json`, which older servers had, is ignored by newer ones with status 200
        form = {"name": "answer", "schema": dict(request.schema), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    return body


def read(
    text: str, *, samples: int = 1, choices: Sequence[str] = (), book: Callable[[Usage], None] | None = None
) -> tuple[Completion, str]:
    """Read a reply; give the completion and the model that the server says it came from.

    Args:
        text: the reply.
        samples: choices it has to have.
        choices: beginnings of an answer whose chances it has to tell.
        book: is told the tokens as soon as they are known, since a reply that is no answer is on the bill as well.

    Raises:
        Fault: it is not an answer to a chat request.
    """
    reply = parse(text)
    usage = _usage(reply.get("usage"))
    if book is not None and usage is not None:
        book(usage)
    first, *others = _choices(reply, samples, text)
    completion = _choice(first, text, usage or FREE, tuple(_choice(other, text, FREE) for other in others), choices)
    if usage is None:
        # a server that does not count would make every budget void
        raise _foreign("no usage that can be counted", text)
    return completion, str(reply.get("model", ""))


def parse(text: str) -> Mapping[str, Any]:
    """Read a JSON object.

    Raises:
        Fault: it is none.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise _foreign("not JSON", text) from None
    if not isinstance(value, dict):
        raise _foreign("no JSON object", text)
    return cast("dict[str, Any]", value)


def _choices(reply: Mapping[str, Any], samples: int, text: str) -> list[Any]:
    """The choices of a reply: none at all may pass, another number is how this server is."""
    choices = reply.get("choices")
    if not isinstance(choices, list) or not choices:
        raise _foreign("no choices", text)
    found = cast("list[Any]", choices)
    if len(found) != samples:
        raise _foreign(f"{len(found)} choices where {samples} are due", text, remedy="fail")
    return found


def _choice(
    choice: Any, text: str, usage: Usage, others: tuple[Completion, ...] = (), begins: Sequence[str] = ()
) -> Completion:
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        raise _foreign("a choice without a message", text)
    told = cast("dict[str, Any]", message)
    said = _string(told.get("content"), text)
    thought = _string(told.get("reasoning") or told.get("reasoning_content"), text)
    finish = _string(choice.get("finish_reason"), text)
    calls = _calls(told.get("tool_calls"), text)
    likely = chances.read(choice.get("logprobs"), begins) if begins else ()
    return Completion(said, usage.tokens, finish in WHOLE, thought, finish, usage.prompt_tokens, calls, others, likely)


def _calls(value: Any, text: str) -> tuple[Mapping[str, Any], ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(call, dict) for call in cast("list[Any]", value)):
        raise _foreign("tool calls of another form", text)
    return tuple(cast("list[dict[str, Any]]", value))


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


def _usage(told: Any) -> Usage | None:
    """Tokens of prompt and answer; None where they are not counted."""
    if not isinstance(told, dict):
        return None
    usage = cast("dict[str, Any]", told)
    counts = usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0)
    return Usage(*counts) if all(type(count) is int and 0 <= count <= COUNTABLE for count in counts) else None


def _foreign(what: str, text: str, *, remedy: Remedy = "retry") -> Fault:
    begins = " ".join(text[:EXCERPT].split())
    return Fault(f"the reply is not an answer of a model ({what}); it begins {begins!r}", remedy=remedy)
