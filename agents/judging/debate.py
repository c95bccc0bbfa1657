"""Judges who disagree see each other's critiques and may change their verdicts.

Only where one that was heard says bad and another does not: agreement is not talked out of anything, and costs nothing.
A critique reaches another judge as data, without its author's name and in an order that differs from judge to judge. A
judge that cannot be read in a turn stands by what it said before.

Source: Du et al. 2023, https://arxiv.org/abs/2305.14325 (answers revised after reading those of other instances).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from ...memory.debates import Turn
from ...memory.inference import Completion, Model, Reply, Request
from ...memory.prompting import data, render
from ...memory.records import Task
from ...memory.trace import span
from ..teacher import Opinion
from .panel import Vote, decide, question, vote

QUOTED = 600
"""Characters of a critique that others are shown."""


class _Bench:
    """The judges of one task, and what each was asked and has said."""

    def __init__(self, task: Task, requests: Mapping[str, Request]) -> None:
        self.task = task
        self.requests = dict(requests)
        self.said: dict[str, Completion] = {}
        self.votes: dict[str, Vote] = {}
        self.turns: list[Turn] = []

    def hear(self, judge: str, reply: Reply, turn: int) -> None:
        """Take down what a judge said."""
        heard = vote(judge, reply)
        self.turns.append(Turn(turn=turn, judge=judge, verdict=heard.word or "", reason=heard.reason))
        if reply.completion is not None:
            self.said[judge] = reply.completion
        if heard.word is not None or judge not in self.votes:
            self.votes[judge] = heard

    @property
    def divided(self) -> bool:
        """Whether one says bad and another does not."""
        return len({v.word == "bad" for v in self.votes.values() if v.word is not None}) > 1

    def argue(self, judge: str, template: str, turn: int) -> Request:
        """Show a judge what the others said last, and ask it again."""
        others = [_critique(said) for name, said in sorted(self.said.items()) if name != judge]
        Random(f"{self.task.id}/{judge}/{turn}").shuffle(others)
        asked, own = self.requests[judge], self.said[judge]
        turns = (
            *asked.messages,
            {"role": "user", "content": asked.prompt},
            {"role": "assistant", "content": own.text},
        )
        prompt = render(template, skill=self.task.skill, data=data(others))
        return replace(asked, messages=turns, prompt=prompt)

    def opinion(self) -> Opinion:
        """What the last words come to; what led there is kept where there was a debate."""
        found = decide(list(self.votes.values()))
        argued = any(turn.turn for turn in self.turns)
        return found._replace(turns=tuple(self.turns)) if argued else found


async def deliberate(
    judges: Mapping[str, str], tasks: Sequence[Task], model: Model, *, system: str, arguing: str, turns: int
) -> list[Opinion]:
    """Have every judge look at every task with its answer, and have those that disagree talk.

    Args:
        judges: prompt templates by name; each names `skill` and `data`.
        tasks: what is judged; equal ones are judged once.
        model: who judges.
        system: what every judge is told first.
        arguing: prompt template of a turn; it names `skill` and `data`, the critiques of the others.
        turns: turns at most, at least 1; each asks every judge that was heard once.
    """
    benches = {
        t.id: _Bench(t, {name: question(prompt, t, system=system) for name, prompt in judges.items()}) for t in tasks
    }
    first = [(bench, name, request) for bench in benches.values() for name, request in bench.requests.items()]
    with span("panel", samples=len(benches), judges=len(judges)):
        await _ask(first, model, turn=0)
    for turn in range(1, turns + 1):
        divided = [bench for bench in benches.values() if bench.divided]
        if not divided:
            break
        asked = [(bench, name, bench.argue(name, arguing, turn)) for bench in divided for name in list(bench.said)]
        with span("debate", samples=len(divided), turn=turn):
            for bench, name, request in asked:
                bench.requests[name] = request
            await _ask(asked, model, turn=turn)
    return [benches[task.id].opinion() for task in tasks]


async def _ask(asked: Sequence[tuple[_Bench, str, Request]], model: Model, *, turn: int) -> None:
    replies = await model.ask([request for _, _, request in asked]) if asked else []
    for (bench, name, _), reply in zip(asked, replies, strict=True):
        bench.hear(name, reply, turn)


def _critique(said: Completion) -> dict[str, Any]:
    """What others are shown of a judge's words: the verdict and the reason, not who said it."""
    told = json.loads(said.text)
    return {"verdict": told["verdict"], "reason": str(told["reason"])[:QUOTED]}
