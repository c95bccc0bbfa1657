"""How a student calls tools, learned from its own chat template.

A template writes the calls of a finished turn as JSON between marks of its own. One known call shows which, and what a
student says is read by the same marks: JSON without them is no call, since nobody who runs the student would make it.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..memory.talk import Call, Question, Talk, call_of, spell

KNOWN = Call("look_up", {"word": "tea"})
PROBE = Talk(
    messages=({"role": "user", "content": "?"},),
    tools=(
        {
            "type": "function",
            "function": {
                "name": KNOWN.name,
                "description": "Looks a word up.",
                "parameters": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
            },
        },
    ),
)
ARGUMENTS = ("arguments", "parameters")
"""What templates name the arguments of a call."""


@dataclass(frozen=True, slots=True)
class Calling:
    """The marks around a call; either may be empty."""

    before: str
    after: str

    def read(self, text: str) -> tuple[str, list[Call]] | None:
        """What an answer says first and what it calls; None where it calls nothing, or not as it should."""
        at = text.find(self.before)
        content, rest = text[:at].strip(), text[at:].strip()
        if at < 0 or (not self.before and content):
            return None
        calls: list[Call] = []
        while rest:
            if (found := self._one(rest)) is None:
                return None
            rest = found[1]
            calls += found[0]
        return (content, calls) if calls else None

    def _one(self, text: str) -> tuple[list[Call], str] | None:
        """Calls between one pair of marks, and what follows them."""
        if not text.startswith(self.before):
            return None
        body = text.removeprefix(self.before).lstrip()
        value, end = _json(body)
        calls, rest = _calls(value), body[end:].lstrip()
        if not calls or not rest.startswith(self.after):
            return None
        return calls, rest.removeprefix(self.after).lstrip()


def learn(render: Callable[[Question, str], str]) -> Calling | None:
    """See how a template writes a call; None where that is not JSON.

    Args:
        render: gives an answer to a question as its template writes it, without the token that ends it.
    """
    text = render(PROBE, spell("", [KNOWN]))
    for start in _openings(text):
        value, end = _json(text[start:])
        if _calls(value) == [KNOWN]:
            return Calling(text[:start].strip(), text[start + end :].strip())
    return None


def _openings(text: str) -> Iterator[int]:
    return (place for place, letter in enumerate(text) if letter in "[{")


def _json(text: str) -> tuple[object, int]:
    """A JSON value at the beginning of a text, and where it ends; None where there is none."""
    try:
        return json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None, 0


def _calls(value: object) -> list[Call]:
    """Calls that a JSON value stands for; none where any part of it is no call."""
    listed = value if isinstance(value, list) else [value]
    found = [_call(one) for one in listed]
    return [call for call in found if call is not None] if all(found) else []


def _call(value: object) -> Call | None:
    if not isinstance(value, dict):
        return None
    given = next((value[name] for name in ARGUMENTS if name in value), None)
    return call_of(value.get("name"), given)
