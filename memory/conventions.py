"""Names of spans and attributes as the OpenTelemetry GenAI semantic conventions have them; they stand only here.

A step for which the conventions have an operation is called by it and what it works with (`chat MODEL`,
`execute_tool TOOL`); any other keeps the project's word. Attributes of our own are short in the trace and get `OWN` in
front where they leave it.

Source: semantic-conventions 1.41, https://opentelemetry.io/docs/specs/semconv/gen-ai/
"""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager

from .inference import Completion
from .trace import Value, span

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
AGENT = "gen_ai.agent.name"
WORKFLOW = "gen_ai.workflow.name"
TOOL = "gen_ai.tool.name"
TOOL_TYPE = "gen_ai.tool.type"
CALL = "gen_ai.tool.call.id"
MODEL = "gen_ai.request.model"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
DIMENSIONS = "gen_ai.embeddings.dimension.count"
ERROR = "error.type"

CHAT, EMBEDDINGS = "chat", "embeddings"
INVOKE_AGENT, INVOKE_WORKFLOW, EXECUTE_TOOL = "invoke_agent", "invoke_workflow", "execute_tool"
ASKED = (CHAT, EMBEDDINGS)
"""Operations that ask a model, and are spans of a client."""

OWN = "evolvent."
"""Stands before attributes that the conventions do not have."""

Step = AbstractContextManager[dict[str, Value]]


def workflow(name: str, **own: Value) -> Step:
    """Record a whole session, from its start or its resume to its end."""
    return _operation(INVOKE_WORKFLOW, name, {WORKFLOW: name}, own)


def agent(name: str, **own: Value) -> Step:
    """Record a step of the loop, or an agent at work inside one."""
    return _operation(INVOKE_AGENT, name, {AGENT: name}, own)


def tool(name: str, *, call: str = "", **own: Value) -> Step:
    """Record a call of a tool; `call` is the id the model gave it."""
    return _operation(EXECUTE_TOOL, name, {TOOL: name, TOOL_TYPE: "function", **({CALL: call} if call else {})}, own)


def chat(model: str, *, provider: str, **own: Value) -> Step:
    """Record one call of a model; in this process one batch is one call."""
    return _operation(CHAT, model, {PROVIDER: provider, MODEL: model}, own)


def embeddings(model: str, *, dimensions: int, **own: Value) -> Step:
    """Record a call of an embedder."""
    return _operation(EMBEDDINGS, model, {PROVIDER: "evolvent", MODEL: model, DIMENSIONS: dimensions}, own)


def usage(completions: Iterable[Completion]) -> dict[str, Value]:
    """Tokens that answers took; a count that nobody made is left out."""
    found = tuple(completions)
    asked, answered = sum(c.prompt_tokens for c in found), sum(c.tokens for c in found)
    return {**({INPUT_TOKENS: asked} if asked else {}), OUTPUT_TOKENS: answered}


def outward(attributes: Mapping[str, Value]) -> dict[str, str | int | float | bool]:
    """Attributes under the names that others know them by; those without a value are left out."""
    return {name if "." in name else f"{OWN}{name}": value for name, value in attributes.items() if value is not None}


def _operation(operation: str, what: str, known: Mapping[str, Value], own: Mapping[str, Value]) -> Step:
    return span(f"{operation} {what}", **{OPERATION: operation, **known, **own})


def words(key: str) -> str:
    """A key as a person reads it, without what stands before every one."""
    return key.removeprefix(OPERATION.partition(".")[0] + ".").removeprefix(OWN).replace(".", " ")
