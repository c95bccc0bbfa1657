"""What an agent's prompt asks for: the form of an answer. How a prompt is filled in is in `memory/prompting.py`."""

from collections.abc import Mapping
from typing import Any

from ..memory.prompting import check, data, render

__all__ = ["answer_schema", "check", "data", "render"]


def answer_schema(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A closed JSON object in which every property is required.

    Args:
        properties: in alphabetical order. A request is sent with sorted keys, and a server that binds the schema has
            the model write the properties in the order it got; what is to be thought of first must come first there.
    """
    assert list(properties) == sorted(properties)
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
