"""What a language model wrote, taken as a task of the skill or kept as what it is."""

import json
from collections.abc import Mapping
from typing import Any

from ..memory.files import digest
from ..memory.inference import Reply
from ..memory.records import Task
from ..scenarios.splits import Splits

TASK = {"question": {"type": "string", "minLength": 1}, "solution": {"type": "string", "minLength": 1}}
"""A task as a model writes it, as properties of a JSON Schema."""


def read(reply: Reply) -> dict[str, Any] | None:
    """What a reply says; the client has seen to it that it fits its schema."""
    return None if reply.completion is None else json.loads(reply.completion.text)


def adopted(skill: str, said: Mapping[str, Any], splits: Splits) -> Task:
    """A task as the model wrote it; one that is none of the skill keeps its words, and critique refuses it."""
    prompt, answer = str(said["question"]).strip(), str(said["solution"]).strip()
    try:
        return splits.adopt(skill, prompt, answer)
    except ValueError:
        return Task(skill=skill, prompt=prompt, answer=answer, key=f"foreign:{digest(prompt)}")
