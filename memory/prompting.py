"""Prompts: templates that are settings of their part, filled in so that nothing in them is forgotten or obeyed.

An unknown name in a template is an error when the part is built, not an empty place in a prompt. Whatever students,
teachers or files wrote goes in as JSON between `<data>` and `</data>`, in which it cannot write the closing mark.
"""

import json
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

# a scenario may come from anywhere, so its prompts must not reach into the program; as text they need no escaping
_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
)


def render(template: str, **values: Any) -> str:
    """Fill a template in.

    Raises:
        jinja2.UndefinedError: it names a value that is not given.
        jinja2.exceptions.SecurityError: it reaches for more than values.
    """
    return _compiled(template).render(**values).strip()


@lru_cache(maxsize=64)
def _compiled(template: str) -> Template:
    """Compile a template once; every judge's is filled in thousands of times."""
    return _ENVIRONMENT.from_string(template)


def check(template: str, known: Collection[str]) -> str:
    """Give the template back, if it can be filled in with these names.

    Raises:
        ValueError: it cannot.
    """
    try:
        wanted = meta.find_undeclared_variables(_ENVIRONMENT.parse(template))
    except TemplateError as error:
        raise ValueError(f"not a template: {error}") from None
    if strange := sorted(wanted - set(known)):
        raise ValueError(f"a prompt names {strange[0]!r}; it may name: {', '.join(sorted(known))}")
    return template


def data(value: object) -> str:
    """Write what others wrote as JSON between marks; a `<` inside is escaped, so nothing inside can end it."""
    text = json.dumps(value, ensure_ascii=False, indent=1).replace("<", "\\u003c")
    return f"<data>\n{text}\n</data>"


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
