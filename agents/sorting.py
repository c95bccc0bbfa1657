"""Tasks sorted into skills by a language model that sees their prompts and nothing else.

A sample is labelled, task by task; the labels are grouped into few categories that exclude each other; then every task
is put into one of these. What the model does not put anywhere it knows of is the rest. References are never shown, so
what is known of an exam item is known from its prompt alone.

Source: Didolkar et al. 2024, https://arxiv.org/abs/2405.12205 (labelling, clustering and relabelling skills).
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..memory.errors import RunError
from ..memory.inference import Model, Reply, Request
from ..memory.prompting import answer_schema, check, data, render
from ..memory.trace import span
from .prompts import GROUP, LABEL, NAMES, SORT

REST = "other"
"""Skill of what fits no category."""
SHOWN = 2_000
"""Characters of a prompt that are shown."""
WORDS, NAME = 300, 40
"""Characters of a description and of a name that are kept."""
TEXT = {"type": "string", "minLength": 1}
CATEGORIES = {
    "categories": {"type": "array", "items": answer_schema({"description": TEXT, "name": TEXT}), "minItems": 1}
}
"""Form of categories; how many are too many is no reason to ask again, since the first ones count."""


class Discovery(BaseModel):
    """How skills are found where a scenario names none."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    most: int = Field(default=8, ge=2, le=64)
    """Skills at most, that of what fits no category included."""
    sample: int = Field(default=200, ge=8, le=2_000)
    """Tasks that are labelled to find categories; all are from the probe split."""
    batch: int = Field(default=16, ge=1, le=100)
    """Tasks in a request."""
    smallest: int = Field(default=200, ge=1)
    """Tasks without which a category is no skill of its own: with fewer its exams would say nothing."""
    labelling: str = LABEL
    """Prompt for the skill of each task of the sample."""
    grouping: str = GROUP
    """Prompt for categories of these skills."""
    sorting: str = SORT
    """Prompt for the category of each task."""

    @field_validator("labelling", "grouping", "sorting")
    @classmethod
    def _prompt(cls, template: str, info: Any) -> str:
        return check(template, NAMES[info.field_name])

    def calls(self, tasks: int) -> int:
        """Requests that sorting so many tasks takes at most, repeated ones left out."""
        return -(-min(self.sample, tasks) // self.batch) + 1 + -(-tasks // self.batch)


class Found(NamedTuple):
    """What tasks were sorted into."""

    categories: tuple[tuple[str, str], ...]
    """Names and descriptions, without the rest; some may be empty."""
    skills: Mapping[str, str]
    """Category or rest of every task, by key."""
    labels: Mapping[str, int]
    """What the sample was labelled with, and how often."""
    prompts: Mapping[str, str]
    """A prompt of each step as it was sent, the first of several."""


async def find(
    tasks: Mapping[str, str], sample: Sequence[str], model: Model, how: Discovery, *, system: str, longest: int
) -> Found:  # fmt: skip
    """Find categories and sort every task.

    Args:
        tasks: prompts by key.
        sample: keys of the tasks that categories are read off.
        model: who is asked.
        how: prompts and sizes.
        system: what every prompt is preceded by.
        longest: tokens an answer may have.

    Raises:
        RunError: the model named no skill, or no category.
    """

    def put(prompt: str, properties: Mapping[str, Any]) -> Request:
        return Request(prompt, longest, system=system, schema=answer_schema(properties))

    batches = _batches(sorted(sample), how.batch)
    asked = [
        put(render(how.labelling, data=data(_shown(b, tasks))), _places(len(b), {"type": "string"})) for b in batches
    ]
    with span("label tasks", tasks=len(sample)):
        named = dict(_pairs(batches, await model.ask(asked)))
    labels = Counter(label for name in named.values() if (label := _name(name)))
    if not labels:
        raise RunError(
            "the teacher named no skill for any task; see what it answers with `evolvent doctor`, then resume"
        )
    grouping = put(render(how.grouping, data=data(_ranked(labels)), most=how.most - 1), CATEGORIES)
    with span("group labels", labels=len(labels)):
        (reply,) = await model.ask([grouping])
    categories = _grouped(reply)[: how.most - 1]
    if not categories:
        why = reply.reason or "it named none"
        raise RunError(f"the teacher gave no categories for {len(labels)} skills ({why}); mend it, then resume")
    batches = _batches(sorted(tasks), how.batch)
    known = {"type": "string", "enum": [*(name for name, _ in categories), REST]}
    about = data([{"name": name, "which": words} for name, words in categories])
    sorting = [
        put(render(how.sorting, data=data(_shown(b, tasks)), data_categories=about, rest=REST), _places(len(b), known))
        for b in batches
    ]
    with span("sort tasks", tasks=len(tasks), categories=len(categories)):
        put_into = dict(_pairs(batches, await model.ask(sorting)))
    return Found(
        categories=tuple(categories),
        skills={key: put_into.get(key, REST) for key in sorted(tasks)},
        labels=dict(_ranked(labels)),
        prompts={"labelling": asked[0].prompt, "grouping": grouping.prompt, "sorting": sorting[0].prompt},
    )


def _batches(keys: Sequence[str], size: int) -> list[list[str]]:
    return [list(keys[start : start + size]) for start in range(0, len(keys), size)]


def _shown(keys: Sequence[str], tasks: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"number": number, "task": tasks[key][:SHOWN]} for number, key in enumerate(keys, start=1)]


def _places(count: int, skill: Mapping[str, Any]) -> dict[str, Any]:
    """A skill for each number; a server need not give them all, or each once."""
    one = answer_schema({"number": {"type": "integer"}, "skill": dict(skill)})
    return {"skills": {"type": "array", "items": one, "maxItems": count}}


def _pairs(batches: Sequence[list[str]], replies: Sequence[Reply]) -> Iterator[tuple[str, str]]:
    """Keys and what was said of them; of what was said twice of one task, neither is believed."""
    for keys, reply in zip(batches, replies, strict=True):
        said: list[dict[str, Any]] = json.loads(reply.completion.text)["skills"] if reply.completion else []
        often = Counter(one["number"] for one in said)
        for one in said:
            if 1 <= one["number"] <= len(keys) and often[one["number"]] == 1:
                yield keys[one["number"] - 1], str(one["skill"])


def _ranked(labels: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(labels.items(), key=lambda entry: (-entry[1], entry[0])))


def _grouped(reply: Reply) -> list[tuple[str, str]]:
    """Names and descriptions of categories; the first of each name, and none that is called like the rest."""
    said: list[dict[str, str]] = json.loads(reply.completion.text)["categories"] if reply.completion else []
    found: dict[str, str] = {}
    for one in said:
        if (name := _name(one["name"])) and name != REST:
            found.setdefault(name, " ".join(one["description"].split())[:WORDS])
    return list(found.items())


def _name(text: str) -> str:
    """A name as a skill may have one; empty where nothing is left of it."""
    return re.sub(r"[^a-z0-9]+", "-", text.casefold())[: NAME + 1].strip("-")[:NAME].strip("-")
