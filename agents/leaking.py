"""Examples that a scenario hands on in words of its own: none may be an item of an exam.

Prompts of a teacher, of curation and of the student are texts that somebody wrote, often with a few solved tasks in
them; whoever reads them would know these items. Texts that nobody wrote, those of this program, hold no task.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from ..memory.records import Task
from ..scenarios.schema import Scenario
from ..training.curation.decontamination import given_away

SHOWN = 60
"""Characters of an item in a message."""
SHORTEST = 3
"""Characters from which an item that is no prose counts when it stands inside a text."""


def told(scenario: Scenario, items: Sequence[Task], *, prose: bool) -> list[str]:
    """Say which texts of a scenario give an exam item away, with the first item of each.

    Args:
        scenario: whose texts are looked at.
        items: of the exams.
        prose: whether they are prose, of which a run of words is enough.
    """
    found: list[str] = []
    for place, text in texts(scenario):
        held = given_away(items, [text], scenario.curation.ngram) if prose else _standing(items, text)
        if held:
            shown = " ".join(held[0].own.split())[:SHOWN]
            more = f" and {len(held) - 1:,} more" if len(held) > 1 else ""
            found.append(
                f"{place}: holds an exam item, {shown!r}{more}; take examples that no exam holds, such as those of "
                "`evolvent scenario show`"
            )
    return found


def texts(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Every text that somebody wrote for a model to read, with its place."""
    if scenario.student.system:
        yield "student.system", scenario.student.system
    yield from _inside("teacher", scenario.teacher.settings)
    curation = scenario.curation
    named = {"scorer": curation.scorer, "selector": curation.selector, "orderer": curation.orderer}
    for name, part in named.items():
        yield from _inside(f"curation.{name}", part.settings if part else {})
    for place, part in enumerate(curation.enhancers):
        yield from _inside(f"curation.enhancers.{place}", part.settings)


def _inside(place: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for name, inner in cast("Mapping[str, Any]", value).items():
            yield from _inside(f"{place}.{name}", inner)
    elif isinstance(value, (list, tuple)):
        for number, inner in enumerate(cast("Sequence[Any]", value)):
            yield from _inside(f"{place}.{number}", inner)


def _standing(items: Sequence[Task], text: str) -> list[Task]:
    """Items that stand in a text as they are, and not inside a longer word or number."""
    return [
        item
        for item in items
        if len(item.own) >= SHORTEST
        and item.own in text
        and re.search(rf"(?<!\w){re.escape(item.own)}(?!\w)", text) is not None
    ]
