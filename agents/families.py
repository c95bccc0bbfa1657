"""The families of parts, by the setting of a scenario that names one: its base class and the folder it lives in."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

from pydantic import BaseModel, ValidationError

from ..memory.embedder import Embedder
from ..memory.errors import PartError
from ..memory.parts import Part, PartSpec, load
from ..memory.store import Store
from ..scenarios.schema import Curation, Scenario
from ..scenarios.source import Source
from ..scenarios.student import Student
from ..scenarios.verifier import Verifier
from ..training.curation.enhancer import Enhancer
from ..training.curation.orderer import Orderer
from ..training.curation.scorer import Scorer
from ..training.curation.selector import Selector
from ..training.engine import EnginePart
from ..training.evaluation import Evaluation
from ..training.trainer import Trainer
from .allocator import Allocator
from .operator import Operator
from .teacher import Teacher

ROOT = __name__.rpartition(".agents")[0]
"""Name of the package."""


class Family(NamedTuple):
    """Parts of one kind."""

    base: type[Part]
    folder: str
    """Where they live, one file each."""

    @property
    def package(self) -> str:
        """Full name of the folder."""
        return f"{ROOT}.{self.folder}"


VERIFIERS, ENGINES = Family(Verifier, "scenarios.verifiers"), Family(EnginePart, "training.engines")
FAMILIES: dict[str, Family] = {
    "source": Family(Source, "scenarios.sources"),
    "verifier": VERIFIERS,
    "parts": VERIFIERS,
    "teacher": Family(Teacher, "agents.teachers"),
    "operators": Family(Operator, "agents.operators"),
    "allocator": Family(Allocator, "agents.allocators"),
    "trainer": Family(Trainer, "training.trainers"),
    "embedder": Family(Embedder, "memory.embedders"),
    "store": Family(Store, "memory.stores"),
    "engine": ENGINES,
    "models": ENGINES,
    "evaluations": Family(Evaluation, "training.evaluations"),
    "enhancers": Family(Enhancer, "training.curation.enhancers"),
    "scorer": Family(Scorer, "training.curation.scorers"),
    "selector": Family(Selector, "training.curation.selectors"),
    "orderer": Family(Orderer, "training.curation.orderers"),
}
"""By the setting that names one or several; combined verifiers and a teacher's operators are named inside parts."""
SEVERAL = ("models", "evaluations")
"""Settings that name parts by what they are for."""
TABLES: dict[str, type[BaseModel]] = {"": Scenario, "student": Student, "curation": Curation}
"""Tables of a scenario that name parts; the first is the file itself."""


def faults(value: Mapping[str, Any], *, where: str, allow_import: bool) -> list[str]:
    """Say of every part that a scenario names why it cannot be had, in the order of the schema.

    Args:
        value: the scenario as plain values; whatever else is wrong with it is passed over.
        where: file, for messages.
        allow_import: load modules of the user's own.
    """
    found: list[str] = []

    def look(place: str, family: Family, spec: PartSpec) -> Part | None:
        try:
            return load(spec, base=family.base, package=family.package, where=where, allow_import=allow_import)
        except PartError as error:
            said = str(error).removeprefix(f"{where}: ")
            found.append(said if place in FAMILIES else f"{place}: {said}")
        return None

    for place, family, spec in _named(value):
        part = look(place, family, spec)
        if isinstance(part, Teacher):
            for portion in part.mix:
                look("operators", FAMILIES["operators"], portion.operator)
    return found


def _named(value: Mapping[str, Any]) -> Iterator[tuple[str, Family, PartSpec]]:
    """Every part that can be read as one, with the path of its key."""
    for table, model in TABLES.items():
        given = value.get(table, {}) if table else value
        for name in (name for name in model.model_fields if name in FAMILIES):
            default = model.model_fields[name].default
            place = f"{table}.{name}" if table else name
            for inner, said in _each(place, given.get(name) if isinstance(given, Mapping) else None):
                spec = _spec(said, default.name if isinstance(default, PartSpec) else "")
                if spec is not None:
                    yield inner, FAMILIES[name], spec


def _each(place: str, said: Any) -> Iterator[tuple[str, Any]]:
    """Several parts where a setting names several, as a list or by what they are for."""
    if isinstance(said, (list, tuple)):
        yield from ((f"{place}.{at}", one) for at, one in enumerate(cast("list[Any]", said)))
    elif place in SEVERAL and isinstance(said, Mapping):
        yield from ((f"{place}.{role}", one) for role, one in cast("dict[str, Any]", said).items())
    elif said is not None:
        yield place, said


def _spec(said: Any, default: str) -> PartSpec | None:
    """A part as it is written; None where that is none, which the schema says."""
    given = {"name": default, **said} if default and isinstance(said, Mapping) else said
    try:
        return PartSpec.model_validate(given)
    except ValidationError:
        return None
