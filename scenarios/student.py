"""The student of a scenario: an embedded one, described by its size, or a model that somebody brings."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, StringConstraints, model_serializer, model_validator

from ..memory.parts import PartSpec
from .section import Section

Dtype = Literal["float32", "bfloat16"]
Text = Annotated[str, StringConstraints(min_length=1)]
HUB = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
"""How an id on the hub looks: who published the model, and what it is called."""
COMMIT = re.compile(r"[0-9a-f]{40}")
EMBEDDED = ("hidden", "layers", "heads", "first")
"""What only a student that is built from scratch has."""
BROUGHT = ("revision", "system", "template", "stop", "reasoning", "longest", "dtype")
"""What only a model that somebody brings has."""
DECIDED = frozenset(
    {
        "add_generation_prompt", "chat_template", "continue_final_message", "conversation", "documents", "max_length",
        "messages", "padding", "return_assistant_tokens_mask", "return_dict", "return_tensors", "tokenize",
        "tokenizer_kwargs", "tools", "truncation",
    }
)  # fmt: skip
"""Arguments of a chat template that follow from what is asked."""


class First(Section):
    """First training of an embedded student: what it knows before the session starts."""

    skills: dict[str, tuple[str, ...]] = Field(default={})
    """Skills it is trained on, each with the features its first data must not have (a planted defect). Without
    any, it is trained on the guard skills."""
    samples: int = Field(default=16_000, ge=64)
    """Distinct training tasks over all skills."""
    epochs: float = Field(default=3.0, gt=0, allow_inf_nan=False)
    """Passes over them."""


def _unset(value: object) -> bool:
    """Whether a setting says nothing, so that scenarios which do not use it keep their hash."""
    return not value or value == "float32"


class Student(Section):
    """The model that evolves."""

    engine: PartSpec = PartSpec(name="transformers")
    """How it answers."""
    hidden: int = Field(default=96, ge=16, le=4096, multiple_of=4)
    """Width of the embedded student."""
    layers: int = Field(default=2, ge=1, le=64)
    """Depth of the embedded student."""
    heads: int = Field(default=4, ge=1, le=64)
    """Attention heads of the embedded student."""
    first: First = First()
    """Its first training."""
    model: str = Field(default="", exclude_if=_unset)
    """Folder of a Hugging Face model, or its id on the hub; empty for the embedded student."""
    revision: str = Field(default="", exclude_if=_unset)
    """Commit of a model on the hub, forty hexadecimal digits."""
    system: str = Field(default="", exclude_if=_unset)
    """What the model is told before every question."""
    template: dict[str, Any] = Field(default={}, exclude_if=_unset)
    """More arguments of its chat template, such as `enable_thinking = false`."""
    stop: tuple[Text, ...] = Field(default=(), exclude_if=_unset)
    """Tokens or texts that end an answer beside those its files name."""
    reasoning: tuple[Text, Text] | None = Field(default=None, exclude_if=_unset)
    """What stands before and after the model's reasoning, such as `["<think>", "</think>"]`; what follows is judged."""
    longest: int = Field(default=0, ge=0, exclude_if=_unset)
    """Tokens an answer may have, reasoning included; 0 for a few more than the longest reference has."""
    dtype: Dtype = Field(default="float32", exclude_if=_unset)
    """What the model computes in, in this process."""

    @model_serializer(mode="wrap")
    def _what_it_has(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        said: dict[str, Any] = handler(self)
        return {name: value for name, value in said.items() if name not in EMBEDDED} if self.model else said

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        foreign = [name for name in (EMBEDDED if self.model else BROUGHT) if name in self.model_fields_set]
        if foreign and self.model:
            raise ValueError(f"a model of your own comes as it is; leave {', '.join(foreign)} away beside model")
        if foreign:
            raise ValueError(f"{', '.join(foreign)} belongs to a model of your own; name it in student.model")
        if not self.model and self.hidden % (2 * self.heads):
            raise ValueError(f"hidden ({self.hidden}) must be a multiple of twice the heads ({self.heads})")
        return self

    @model_validator(mode="after")
    def _pinned(self) -> Self:
        if not self.revision:
            return self
        if Path(self.model).is_absolute() or not HUB.fullmatch(self.model):
            raise ValueError(f"revision belongs to a model on the hub, and {self.model!r} is none; leave it away")
        if not COMMIT.fullmatch(self.revision):
            raise ValueError(
                f"revision {self.revision!r} may move; pin a commit, its forty hexadecimal digits, as the hub's "
                "'Files' page shows them"
            )
        return self

    @model_validator(mode="after")
    def _asks_the_template_for_what_is_free(self) -> Self:
        if decided := sorted(DECIDED & set(self.template)):
            raise ValueError(f"template cannot set {decided[0]!r}, which follows from what is asked; leave it away")
        return self
