"""What an endpoint is asked before a session trusts it: does it serve the model, answer, and keep to a schema.

A list of models or a health page is no proof, since both are served while the engine behind them hangs: one token is
asked for. A schema that a server does not know is ignored with status 200, so one is set that no free answer would fit.
"""

import time
from typing import Any, cast

from ...memory.budget import Budget, Purse
from ...memory.display import visible
from ...memory.errors import UnavailableError, suggest
from ...memory.inference import Request
from . import chat
from .breaker import Breaker
from .client import Client, Terms
from .fault import Fault
from .fleet import Endpoint, Fleet
from .form import misfit
from .limiter import Limiter
from .transport import Transport

CANARY = {
    "type": "object",
    "properties": {"plumage": {"type": "string", "enum": ["vermilion"]}},
    "required": ["plumage"],
    "additionalProperties": False,
}
"""A schema with one answer that nobody gives by chance."""
WEATHER = Request("What is the weather like? Answer in one sentence.", 32, schema=CANARY)
ROLE = "greeting"


async def greet(transport: Transport, *, model: str, structured: bool, terms: Terms | None = None) -> None:
    """Prove that an endpoint can be used. Nothing is taken from a store, which would prove nothing.

    Args:
        transport: to the endpoint.
        model: that has to be served.
        structured: see that a JSON schema binds, too.
        terms: how often a question is repeated, as later in the session.

    Raises:
        UnavailableError: it cannot, with what to do about it.
    """
    where = f"endpoint {transport.base_url}"
    await _listed(transport, model, where)
    fleet = Fleet([Endpoint(transport, Limiter(first=1, most=1), Breaker())])
    client = Client(fleet, model=model, scope="greeting", purse=Purse(Budget(), clock=time.monotonic), terms=terms)
    try:
        await client.say(Request("Say one word.", 1), role=ROLE)
        said = await client.say(WEATHER, role=ROLE) if structured else None
    except Fault as fault:
        raise UnavailableError(
            f"{where} gave no answer of model {model!r}: {fault}; "
            f"is the server up? try: curl {transport.base_url}/models"
        ) from None
    if said is not None and (trouble := misfit(said.text, CANARY)) is not None:
        raise UnavailableError(
            f"{where}: model {model!r} does not keep to a JSON schema ({visible(trouble)}; "
            f"it said {said.text[:80]!r}); "
            "use a server with structured outputs, or set structured = false where no schema is needed"
        )


async def _listed(transport: Transport, model: str, where: str) -> None:
    """See that a list of models, where there is one, names this one."""
    try:
        listed = chat.parse((await transport.get("/models")).body).get("data")
    except Fault:
        # not every endpoint has such a list, nor every key the right to it; the question that follows decides
        return
    entries = cast("list[Any]", listed) if isinstance(listed, list) else []
    names = [visible(str(entry.get("id"))) for entry in entries if isinstance(entry, dict)]
    if names and model not in names:
        some = ", ".join(sorted(names)[:8])
        raise UnavailableError(f"{where} serves no model {model!r}; it serves: {some}{suggest(model, names)}")
