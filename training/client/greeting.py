"""What an endpoint is asked before a session trusts it: does it serve the model, answer, and keep to a schema.

A list of models or a health page is no proof, since both are served while the engine behind them hangs: one token is
asked for. A schema that a server does not know is ignored with status 200, so one is set that no free answer would fit.
"""

import json
from typing import Any, cast

from ...memory.errors import UnavailableError, suggest
from ...memory.inference import Request
from . import chat
from .fault import Fault
from .form import misfit
from .transport import Transport

CANARY = {
    "type": "object",
    "properties": {"plumage": {"type": "string", "enum": ["vermilion"]}},
    "required": ["plumage"],
    "additionalProperties": False,
}
"""A schema with one answer that nobody gives by chance."""


async def greet(transport: Transport, *, model: str, structured: bool) -> None:
    """Prove that an endpoint can be used.

    Args:
        transport: to the endpoint.
        model: that has to be served.
        structured: see that a JSON schema binds, too.

    Raises:
        UnavailableError: it cannot, with what to do about it.
    """
    where = f"endpoint {transport.base_url}"
    try:
        await _listed(transport, model, where)
        await _say(transport, Request("Say one word.", 1), model)
        if not structured:
            return
        said = await _say(
            transport, Request("What is the weather like? Answer in one sentence.", 32, schema=CANARY), model
        )
    except Fault as fault:
        raise UnavailableError(
            f"{where} gave no answer of model {model!r}: {fault}; "
            f"is the server up? try: curl {transport.base_url}/models"
        ) from None
    if (trouble := misfit(said, CANARY)) is not None:
        raise UnavailableError(
            f"{where}: model {model!r} does not keep to a JSON schema ({trouble}; it said {said[:80]!r}); "
            "use a server with structured outputs, or set structured = false where no schema is needed"
        )


async def _listed(transport: Transport, model: str, where: str) -> None:
    """See that a list of models, where there is one, names this one."""
    try:
        listed = json.loads((await transport.get("/models")).body)
    except ValueError:
        raise Fault("its list of models is not JSON", remedy="fail") from None
    except Fault as fault:
        # not every endpoint has such a list; the question that follows decides
        if fault.remedy == "fail":
            return
        raise
    entries = cast("Any", listed).get("data", []) if isinstance(listed, dict) else []
    names = [str(entry.get("id")) for entry in entries if isinstance(entry, dict)]
    if names and model not in names:
        some = ", ".join(sorted(names)[:8])
        raise UnavailableError(f"{where} serves no model {model!r}; it serves: {some}{suggest(model, names)}")


async def _say(transport: Transport, request: Request, model: str) -> str:
    reply = await transport.post(chat.PATH, json.dumps(chat.compose(request, model=model)).encode())
    return chat.read(reply.body)[0].text
