"""Failed attempts and weaknesses in words and as JSON; whatever a model wrote is made visible first."""

from collections.abc import Sequence
from typing import Any

from ...memory.display import line
from ...memory.naming import Known
from ...memory.records import Attempt, Record, Weakness
from ...memory.viewer.markup import several

Json = dict[str, Any]
SHOWN = 5
"""Failures and samples written out; the rest is counted."""


def of_attempt(attempt: Attempt, weaknesses: Sequence[Weakness], run: str) -> list[str]:
    """An answer, and the weaknesses that were inferred from it."""
    task, passed = attempt.task, attempt.verdict.passed
    inferred = [f"  weakness {w.id}, found in round {w.round}: {line(w.hypothesis)}" for w in weaknesses]
    return [
        f"attempt {attempt.id}  {line(task.skill)}  round {attempt.round}, {attempt.purpose}  in {line(run)}",
        "",
        f"prompt     {line(task.prompt)}",
        f"answer     {line(attempt.answer) or '(nothing)'}",
        f"expected   {line(task.answer)}",
        f"verdict    {'right' if passed else 'wrong'}: {line(attempt.verdict.reason) or 'no reason given'}",
        f"student    {line(attempt.student)}",
        "",
        "what was made of it",
        *(inferred or ["  no weakness was inferred from it"]),
    ]


def of_weakness(found: Known, run: str) -> list[str]:
    """A weakness, what it was inferred from, its life, and what was written against it."""
    own = found.weakness
    rule = " and ".join(map(line, own.rule)) or "the whole skill"
    return [
        f"weakness {own.id}  {line(own.skill)}  found in round {own.round}  in {line(run)}",
        "",
        f"hypothesis {line(own.hypothesis)}",
        f"rule       {rule}",
        "",
        "what it was inferred from",
        *(f"  attempt {a.id}: {line(a.task.prompt)} was answered {line(a.answer)}" for a in found.failures[:SHOWN]),
        *_more(len(found.failures), "more attempt"),
        "",
        "its life",
        *(f"  round {o.round}: {o.state}, {o.passed} of {o.tried} right; {line(o.reason)}" for o in found.life),
        "",
        "what was written against it",
        *(f"  sample {id}" for id in found.samples[:SHOWN]),
        *(_more(len(found.samples), "more sample") if found.samples else ["  nothing"]),
    ]


def attempt_facts(attempt: Attempt, weaknesses: Sequence[Weakness]) -> Json:
    """The same for programs."""
    return {"attempt": _record(attempt), "weaknesses": [_record(weakness) for weakness in weaknesses]}


def weakness_facts(found: Known) -> Json:
    """The same for programs."""
    return {
        "weakness": _record(found.weakness),
        "life": [_record(observation) for observation in found.life],
        "failures": [_record(attempt) for attempt in found.failures],
        "samples": list(found.samples),
    }


def _more(count: int, what: str) -> list[str]:
    return [f"  and {several(count - SHOWN, what)}"] if count > SHOWN else []


def _record(record: Record) -> Json:
    return {"id": record.id, **record.model_dump(mode="json")}
