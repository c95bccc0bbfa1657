"""Builders: conversations with tools, and a model whose template knows them."""

import json
from collections.abc import Sequence
from typing import Any

from evolvent.memory.records import Task
from evolvent.memory.talk import Call, Talk, call_turn, spell

TOOLED = (
    "{% if tools %}<|im_start|>tools\n{% for t in tools %}{{ t.function | tojson }}\n{% endfor %}<|im_end|>\n"
    "{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}{% for c in m.tool_calls or [] %}"
    "<tool_call>\n{{ {'name': c.function.name, 'arguments': c.function.arguments} | tojson }}\n</tool_call>"
    "{% if not loop.last %}\n{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""Calls as Hermes and Qwen write them."""
WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
ADD: dict[str, Any] = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
CITIES = ("Rome", "Oslo", "Bern", "Kiel", "Lund", "Nice", "Riga", "York")


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def calls(*made: Call) -> dict[str, Any]:
    """A turn of the assistant that calls."""
    return {"role": "assistant", "content": "", "tool_calls": [call_turn(c, i) for i, c in enumerate(made)]}


def make_talk(text: str = "How warm is Rome?", *, tools: Sequence[dict[str, Any]] = (WEATHER,)) -> Talk:
    return Talk(messages=(user(text),), tools=tuple(tools))


def make_task(city: str = "Rome", *, answer: str | None = None) -> Task:
    """Ask for the weather of a city."""
    talk = make_talk(f"How warm is {city}?")
    said = spell("", [Call("get_weather", {"city": city})]) if answer is None else answer
    return Task(skill="call", prompt=talk.text(), answer=said, key=city, talk=talk)


def told(city: str = "Rome") -> Task:
    """Ask for the weather of a city that was looked up already."""
    before = make_talk(f"How warm is {city}?").messages
    result = {"role": "tool", "tool_call_id": "call00000", "name": "get_weather", "content": f"{len(city)} C"}
    talk = Talk(messages=(*before, calls(Call("get_weather", {"city": city})), result), tools=(WEATHER,))
    return Task(skill="tell", prompt=talk.text(), answer=f"{len(city)} C", key=f"{city} told", talk=talk)


def talk_line(city: str = "Rome", *, skill: str = "call", **changes: Any) -> str:
    """A line of a file as people have it: arguments are a text, and ids are somebody's."""
    arguments = json.dumps({"city": city})
    called = [{"id": f"x-{city}", "type": "function", "function": {"name": "get_weather", "arguments": arguments}}]
    turns = [user(f"How warm is {city}?"), {"role": "assistant", "content": None, "tool_calls": called}]
    if skill == "tell":
        turns += [
            {"role": "tool", "tool_call_id": f"x-{city}", "content": "20 C"},
            {"role": "assistant", "content": "20"},
        ]
    return json.dumps({"skill": skill, "messages": turns, "tools": [WEATHER], **changes})
