"""The process that holds the answer: it loads it and calls its functions, with nothing to steal and nowhere to go."""

import os
from typing import Any

from .program import assemble
from .wire import pack, receive, send, unpack

SHOWN = 300
"""Characters of an exception's text."""


def serve(asked: int, told: int) -> None:
    """Load an answer, then call what is asked for until nobody asks.

    Args:
        asked: pipe to read from.
        told: pipe to write to.
    """
    send(told, {"ready": True})
    names: dict[str, Any] = {"__name__": "answer", "__builtins__": __builtins__}
    while True:
        try:
            message = receive(asked)
        except EOFError:
            os._exit(0)
        send(told, _answered(message, names))


def _answered(message: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    try:
        if "answer" in message:
            program = assemble(message["prompt"], message["answer"])
            exec(compile(program, "<answer>", "exec", dont_inherit=True), names)  # noqa: S102 (that is what this is for)
            return {"value": None}
        return {"value": _called(message, names)}
    except BaseException as error:
        return {"error": type(error).__name__, "text": _text(error)}


def _called(message: dict[str, Any], names: dict[str, Any]) -> Any:
    function = names.get(message["call"])
    if not callable(function):
        raise NameError(f"the answer defines no function {message['call']!r}")
    return pack(function(*unpack(message["arguments"]), **unpack(message["named"])))


def _text(error: BaseException) -> str:
    try:
        return str(error)[:SHOWN]
    except BaseException:
        return ""
