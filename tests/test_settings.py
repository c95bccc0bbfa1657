"""Every number that a scenario may set, wherever its part lives, is a number."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from evolvent.agents.allocator import Allocator
from evolvent.agents.operator import Operator
from evolvent.agents.teacher import Teacher
from evolvent.agents.teachers.llm import Llm
from evolvent.memory.embedder import Embedder
from evolvent.memory.parts import Part, find, known
from evolvent.memory.store import Store
from evolvent.scenarios.schema import Scenario
from evolvent.scenarios.source import Source
from evolvent.scenarios.sources.file import File
from evolvent.scenarios.verifier import Verifier
from evolvent.training.curation.enhancer import Enhancer
from evolvent.training.curation.orderer import Orderer
from evolvent.training.curation.scorer import Scorer
from evolvent.training.curation.selector import Selector
from evolvent.training.engine import EnginePart
from evolvent.training.engines.openai import OpenAI
from evolvent.training.trainer import Trainer

KINDS: dict[str, type[Part]] = {
    "agents.allocators": Allocator,
    "agents.operators": Operator,
    "agents.teachers": Teacher,
    "memory.embedders": Embedder,
    "memory.stores": Store,
    "scenarios.sources": Source,
    "scenarios.verifiers": Verifier,
    "training.curation.enhancers": Enhancer,
    "training.curation.orderers": Orderer,
    "training.curation.scorers": Scorer,
    "training.curation.selectors": Selector,
    "training.engines": EnginePart,
    "training.trainers": Trainer,
}


def classes() -> Iterator[type[BaseModel]]:
    yield Scenario
    for folder, base in KINDS.items():
        package = f"evolvent.{folder}"
        for name in known(package):
            yield find(name, base=base, package=package, where="test")


def numbers(model: type[BaseModel]) -> Iterator[tuple[type[BaseModel], str]]:
    """Settings that may be floats, in the model and in the tables inside it."""
    for name, field in model.model_fields.items():
        pending: list[Any] = [field.annotation]
        while pending:
            kind = pending.pop()
            if kind is float:
                yield model, name
            elif isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from numbers(kind)
            pending += get_args(kind)


FOUND = sorted(
    {(f"{model.__module__}.{model.__name__}.{name}", model, name) for c in classes() for model, name in numbers(c)},
    key=lambda found: found[0],
)


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
@pytest.mark.parametrize(("model", "name"), [found[1:] for found in FOUND], ids=[found[0] for found in FOUND])
def test_a_setting_is_never_infinite_nor_not_a_number(model: type[BaseModel], name: str, value: float) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate({name: value})
    assert name in [error["loc"][0] for error in caught.value.errors()]


def test_the_settings_of_every_room_are_found() -> None:
    names = [name for name, _, _ in FOUND]
    assert [
        n
        for n in ("First.epochs", "Learnability.floor", "Sft.epochs", "Numeric.tolerance")
        if not any(n in x for x in names)
    ] == []


@pytest.mark.parametrize(
    ("part", "later"),
    [
        (File(path="x.jsonl"), {"context", "messages", "tools"}),
        (Llm(), {"arguing", "debate", "discovery", "operators", "seeds"}),
        (OpenAI(base_url="http://localhost:8000/v1", model="m"), {"patience"}),
    ],
    ids=["file", "llm", "openai"],
)
def test_a_setting_that_came_later_is_not_told_unless_it_is_used_so_that_runs_begun_without_it_go_on(
    part: Part, later: set[str]
) -> None:
    assert later <= set(type(part).model_fields)
    assert not later & set(part.describe())
