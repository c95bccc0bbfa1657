"""What a session would make of a scenario: every setting with where it comes from, its skills, a task of each."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, cast

from ..memory.display import line
from ..memory.inference import NOBODY, Models
from ..memory.records import Task
from ..scenarios import loader
from ..scenarios.combination import Combination
from ..scenarios.schema import Scenario
from ..scenarios.section import Section
from ..scenarios.splits import Splits
from ..scenarios.verifier import Verifier
from .discovering import TABLES
from .drafting import quoted
from .parts import Parts
from .planning import Plan

Json = dict[str, Any]
Origin = Literal["written", "fitted", "default"]
STREAM = "show"
"""Names the draw of examples; they come from training, so no exam item is shown."""
WIDE = 100
"""Characters of a value that are shown in a line."""
PLACES = {
    "engine": "student",
    "enhancers": "curation",
    "scorer": "curation",
    "selector": "curation",
    "orderer": "curation",
}
"""Tables of parts that do not stand at the top."""


class Setting(NamedTuple):
    """One setting of a session."""

    key: str
    """Its path."""
    value: Any
    origin: Origin
    """Written in the file or an override, made smaller to fit the source, or a default."""


class Said(NamedTuple):
    """What a verifier says of an answer."""

    verifier: str
    score: float | None
    """None where it cannot judge, or asks somebody who is not here."""
    reason: str


def settings(plan: Plan) -> list[Setting]:
    """Every setting in the order of the schema, those of parts included."""
    given = loader.values(plan.path, plan.overrides)
    sizes = {(table, name): value for table in TABLES for name, value in _defaults(table).items()}

    def origin(key: tuple[str, ...], value: Any) -> Origin:
        if _written(given, key):
            return "written"
        return "fitted" if key in sizes and sizes[key[0], key[1]] != value else "default"

    whole = _flat(_whole(plan.scenario, plan.parts))
    return [Setting(".".join(key), value, origin(key, value)) for key, value in whole]


def example(splits: Splits, skill: str) -> Task | None:
    """A training task of a skill; None where there is none."""
    return next(iter(splits.draw(skill, "train", 1, stream=STREAM)), None)


async def verdicts(verifier: Verifier, task: Task, answer: str, *, models: Models = NOBODY) -> list[Said]:
    """What a verifier says of an answer, and each of those that it is made of.

    Args:
        verifier: which.
        task: what was asked.
        answer: what is judged.
        models: who may be asked; a verifier that asks others says nothing.

    Raises:
        UnavailableError: a model did not say what it thinks.
    """
    inner = verifier.verifiers if isinstance(verifier, Combination) else ()
    # a part that asks was heard within the whole
    return [await _said(one, task, answer, models) for one in (verifier, *(part for part in inner if not part.asks))]


def facts(plan: Plan) -> Json:
    """All of it as JSON."""
    splits = Splits(plan.scenario, plan.parts.source, plan.seed)
    return {
        "event": "scenario",
        "scenario": plan.scenario.name,
        "hash": plan.scenario.hash,
        "settings": [{"key": s.key, "value": s.value, "from": s.origin} for s in settings(plan)],
        "skills": [
            {
                "skill": supply.skill,
                "guard": supply.guard,
                "tasks": supply.tasks,
                "splits": dict(supply.held),
                "needed": supply.needed,
                "example": _example(plan, splits, supply.skill),
            }
            for supply in plan.validation.skills
        ],
        "warnings": list(plan.validation.warnings),
    }


def lines(plan: Plan) -> list[str]:
    """All of it as text."""
    splits = Splits(plan.scenario, plan.parts.source, plan.seed)
    shown = [f"scenario {plan.scenario.name}: {plan.path}"]
    shown += [f"{s.origin:8} {s.key} = {_value(s.value)}" for s in settings(plan)]
    shown += plan.validation.lines()
    for skill in sorted(plan.scenario.skills):
        if (found := _example(plan, splits, skill)) is not None:
            shown.append(f"example  {skill}: {line(found['prompt'])} -> {line(found['answer'])}")
            shown += [f"verdict  {said_line(Said(**said))}" for said in found["verdicts"]]
    return shown


def said_line(said: Said) -> str:
    """A verdict in a line."""
    score = "" if said.score is None else f" {said.score:.3g}"
    return f"{said.verifier}{score}" + (f": {line(said.reason)}" if said.reason else "")


def _defaults(table: str) -> Json:
    section = Scenario.model_fields[table].default
    assert isinstance(section, Section)
    return section.model_dump(mode="json")


def _example(plan: Plan, splits: Splits, skill: str) -> Json | None:
    task = example(splits, skill)
    if task is None:
        return None
    said = asyncio.run(verdicts(plan.parts.verifier, task, task.answer))
    return {"prompt": task.prompt, "answer": task.answer, "verdicts": [one._asdict() for one in said]}


async def _said(verifier: Verifier, task: Task, answer: str, models: Models) -> Said:
    if lacking := sorted(verifier.asks - models.keys()):
        return Said(verifier.name, None, f"a {' and a '.join(lacking)} is asked, in a session and in a preview")
    try:
        (verdict,) = await verifier.judged([task], [answer], models=models)
    except ValueError as error:
        return Said(verifier.name, None, f"cannot judge: {error}")
    return Said(verifier.name, verdict.score, verdict.reason)


def _whole(scenario: Scenario, parts: Parts) -> Json:
    """The scenario with the settings of its parts written out."""
    value = scenario.model_dump(mode="json")
    described = parts.describe()
    if "operators" in described:
        described["teacher"] |= {"operators": described.pop("operators")}
    for name, said in described.items():
        table = value[PLACES[name]] if name in PLACES else value
        table[name] = said
    return value


def _flat(value: Mapping[str, Any], before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Settings with their paths; what is no table, or an empty one, is a value."""
    for name, said in value.items():
        if isinstance(said, Mapping) and said:
            yield from _flat(cast("Json", said), (*before, name))
        else:
            yield (*before, name), said


def _written(given: Any, key: tuple[str, ...]) -> bool:
    """Whether plain values set a path; a part may be its name alone."""
    if not key or isinstance(given, str):
        return key in ((), ("name",))
    tables = [given, given.get("settings")] if isinstance(given, Mapping) else []
    return any(isinstance(t, Mapping) and key[0] in t and _written(t[key[0]], key[1:]) for t in tables)


def _value(value: Any) -> str:
    """A value about as TOML has it, in a line."""
    if value is None:
        return "not set"
    return line(quoted(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False), most=WIDE)
