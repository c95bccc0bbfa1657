"""Judges who see the same sample under different prompts, and what they decide together.

Accepted when at least one says perfect and none says bad. A judge that cannot be read has said neither: it never
counts for a sample, and where fewer than two could be read nothing is decided in the sample's favour. Nor does one
count that did not pass its audition.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, cast

from ...memory.inference import Model, Reply, Request
from ...memory.prompting import answer_schema, data, render
from ...memory.records import Task
from ...memory.trace import span
from ..teacher import Opinion

Word = Literal["perfect", "acceptable", "bad"]

SCHEMA = answer_schema(
    {
        "reason": {"type": "string", "maxLength": 600},
        "verdict": {"type": "string", "enum": ["perfect", "acceptable", "bad"]},
    }
)
FEWEST = 2
"""Judges that must be heard."""
LONGEST = 512
"""Tokens a judge may use."""
SAID = 160
"""Characters of a judge's reason that are kept."""


class Vote(NamedTuple):
    """What one judge said; no word where it could not be read."""

    judge: str
    word: Word | None
    reason: str


async def convene(judges: Mapping[str, str], tasks: Sequence[Task], model: Model, *, system: str) -> list[Opinion]:
    """Have every judge look at every task with its answer, all at once.

    Args:
        judges: prompt templates by name; each names `skill` and `data`.
        tasks: what is judged; equal ones are judged once.
        model: who judges.
        system: what every judge is told first.
    """
    distinct = {task.id: task for task in tasks}
    places = [(name, id) for id in distinct for name in judges]
    requests = [question(judges[name], distinct[id], system=system) for name, id in places]
    with span("panel", samples=len(distinct), judges=len(judges)):
        replies = await model.ask(requests) if requests else []
    votes: dict[str, list[Vote]] = {id: [] for id in distinct}
    for (name, id), reply in zip(places, replies, strict=True):
        votes[id].append(vote(name, reply))
    return [decide(votes[task.id]) for task in tasks]


def decide(votes: Sequence[Vote]) -> Opinion:
    """Count the votes."""
    words = [vote.word for vote in votes if vote.word is not None]
    accepted = len(words) >= FEWEST and "perfect" in words and "bad" not in words
    said = "; ".join(f"{v.judge}: {v.word or 'not heard'} ({v.reason})" for v in votes)
    return Opinion(accepted, said)


def question(template: str, task: Task, *, system: str, turned: bool = False) -> Request:
    """What a judge is asked; `turned` shows the answer before the question."""
    shown = [("question", task.prompt), ("answer", task.answer)]
    prompt = render(template, skill=task.skill, data=data(dict(reversed(shown) if turned else shown)))
    return Request(prompt, LONGEST, system=system, schema=SCHEMA)


def vote(judge: str, reply: Reply) -> Vote:
    """What a judge's reply says."""
    if reply.completion is None:
        return Vote(judge, None, reply.reason[:SAID])
    said = cast("dict[str, str]", json.loads(reply.completion.text))
    return Vote(judge, cast("Word", said["verdict"]), " ".join(said["reason"].split())[:SAID])
