"""Whether the models that a scenario asks are there; nothing is loaded, and an endpoint is only greeted."""

from collections.abc import Iterator

from ..memory.errors import EvolventError
from ..memory.finding import Finding
from ..scenarios.schema import Scenario
from ..training.tuning import Tuner
from .parts import Parts


def looks(scenario: Scenario, parts: Parts) -> Iterator[tuple[str, Finding]]:
    """What is found of every engine, with the place where the scenario names it."""
    trainer = parts.trainer
    rank = trainer.lora.rank if isinstance(trainer, Tuner) and trainer.lora else 0
    places = {"student": "student.engine", **{role: f"models.{role}" for role in parts.models}}
    for role, engine in {"student": parts.engine, **parts.models}.items():
        try:
            for found in engine.look(role, scenario.student, rank=rank):
                yield places[role], found
        except EvolventError as error:
            yield places[role], Finding.of_error(f"engine {role}", error)


def unreachable(scenario: Scenario, parts: Parts) -> list[str]:
    """Say which models are not there, with the way out; the same is said once."""
    told: dict[tuple[str, str], str] = {}
    for place, found in looks(scenario, parts):
        if found.level == "fail":
            told.setdefault((found.found, found.remedy), place)
    return [f"{place}: {said}; {remedy}" for (said, remedy), place in told.items()]
