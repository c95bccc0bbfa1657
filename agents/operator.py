"""How a teacher that is a language model makes a new item of one that is there; each way is a part with its own prompt.

The model is shown numbered items: tasks of the training split, or items that the student failed when it was probed. It
sees their references and documents, which the student does not. For each it writes what the operator asks of it, in a
fixed schema; what it is not asked for is taken over from the item.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ..memory.origin import Parent
from ..memory.parts import Part, PartSpec
from ..memory.prompting import check
from ..memory.records import Sample
from ..scenarios.source import identity

NAMES = ("skill", "data", "data_weakness", "method")
"""What the prompt of an operator may name."""
UNCHANGED = "unchanged: it repeats what it was made from"


@dataclass(frozen=True, slots=True)
class Item:
    """What a sample is made from, as the teacher sees it."""

    parent: Parent
    wrong: str = ""
    """What the student answered, where it failed."""
    document: str = ""
    """What the student does not see; empty where there is nothing."""

    def shown(self) -> dict[str, str]:
        """The item as a prompt holds it."""
        beside = {"student's answer": self.wrong, "document": self.document}
        own = {"question": self.parent.prompt, "solution": self.parent.answer}
        return own | {name: text for name, text in beside.items() if text}


class Operator(Part):
    """Base of every operator."""

    kind: ClassVar[str] = "operator"
    asks: ClassVar[tuple[str, ...]] = ("question", "solution")
    """What the model writes for each item: `question`, `reasoning`, `solution`; the rest is the item's."""
    takes: ClassVar[int] = 1
    """Items that one sample is made from."""

    prompt: str
    """Prompt for new items."""

    @field_validator("prompt")
    @classmethod
    def _template(cls, prompt: str) -> str:
        return check(prompt, NAMES)

    @property
    def renews(self) -> bool:
        """Whether nothing of an item is taken over, so that it may be one that the student was asked."""
        return {"question", "solution"} <= set(self.asks)

    @property
    def room(self) -> int:
        """Characters that an answer may be longer than its reference for what this operator teaches."""
        return 0

    def method(self, rng: Random) -> str:
        """What the prompt's `method` stands for in one request."""
        del rng
        return ""

    def show(self, items: Sequence[Item]) -> Mapping[str, Any]:
        """What the model sees of what one sample is made from."""
        return items[0].shown()

    def properties(self) -> dict[str, Any]:
        """What the model says of each item, as a JSON Schema, in alphabetical order."""
        return {name: {"type": "string", "minLength": 1} for name in self.asks}

    def fault(self, sample: Sample) -> str | None:
        """Say why a sample is not what this operator makes, or None."""
        parents = sample.origin.parents if sample.origin else ()
        repeated = {identity(parent.prompt) for parent in parents}
        return UNCHANGED if "question" in self.asks and identity(sample.task.prompt) in repeated else None


class Portioned(BaseModel):
    """An operator as a scenario writes it: its name, or a table with `name`, `weight` and its settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    operator: PartSpec
    """Which one, and its settings."""
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """Its share of the samples, among the weights of all."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"operator": value}
        if isinstance(value, Mapping) and "name" in value:
            own = {key: setting for key, setting in value.items() if key != "weight"}
            return {"operator": own} | ({"weight": value["weight"]} if "weight" in value else {})
        return value


def portions(value: Any) -> Any:
    """Take a table of names and weights as a list of operators; anything else is left as it is."""
    return [{"name": name, "weight": weight} for name, weight in value.items()] if isinstance(value, Mapping) else value
