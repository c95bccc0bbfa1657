"""Forms of documents: texts with gaps for fields, the JSON that says what a document says, and its schema.

A field that a text does not mention is null in its JSON; one with a dot in its name, `to.city`, is inside another.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import prod
from random import Random
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from ..memory.errors import suggest
from .fields import FIELDS, Json, field
from .template import check, fill

GAP = "\0"
"""Stands around a field's name while a text is taken apart."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class Form(BaseModel):
    """How one kind of document is written, and what it says."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    texts: tuple[Text, ...] = Field(min_length=1)
    """Ways of writing it, with `{field}` where a value stands; `{{` is a brace."""
    fields: dict[str, str | tuple[Text, ...]] = Field(min_length=1)
    """What it says, in the order of its JSON: a kind of field by name, or the texts that a field may have."""

    @field_validator("fields")
    @classmethod
    def _known(cls, given: dict[str, str | tuple[Text, ...]]) -> dict[str, str | tuple[Text, ...]]:
        for name, kind in given.items():
            if isinstance(kind, str) and kind not in FIELDS:
                near = suggest(kind, [*FIELDS]) or f"; there are: {', '.join(FIELDS)}, or a list of texts"
                raise ValueError(f"field {name!r} is of no kind {kind!r}{near}")
            if not isinstance(kind, str) and (len(set(kind)) < len(kind) or not kind):
                raise ValueError(f"field {name!r} needs texts that differ, not {list(kind)}")
            if not all(name.split(".")):
                raise ValueError(f"field {name!r} has an empty name; write it like 'city' or 'to.city'")
            if inner := next((other for other in given if other.startswith(f"{name}.")), None):
                raise ValueError(f"field {name!r} cannot be a value and hold {inner!r}; rename one")
        return given

    @model_validator(mode="after")
    def _fitting(self) -> "Form":
        for text in self.texts:
            check(text)
            names = gaps(text)
            if wrong := [name for name in names if name not in self.fields]:
                raise ValueError(f"{text!r} has a gap for {wrong[0]!r}{suggest(wrong[0], [*self.fields])}, no field")
            if len(set(names)) < len(names):
                raise ValueError(f"{text!r} has a field twice; write another text")
        mentioned = {name for text in self.texts for name in gaps(text)}
        if left := [name for name in self.fields if name not in mentioned]:
            raise ValueError(f"field {left[0]!r} is in no text; remove it, or write {{{left[0]}}} in one")
        return self


class Document(NamedTuple):
    """One document."""

    form: str
    text: str
    said: str
    """What it says, as JSON."""
    features: frozenset[str]


def gaps(text: str) -> list[str]:
    """Names of the fields that a text has, in order."""
    return _pieces(text)[1::2]


def schema(form: Form) -> dict[str, Json]:
    """JSON Schema of what a form says; what a text may leave out may be null."""
    always = set[str](form.fields).intersection(*map(gaps, form.texts))

    def of(name: str) -> Json:
        own = dict(field(form.fields[name]).schema)
        return own if name in always else {**own, "type": [own["type"], "null"]}

    return _object([*form.fields], of)


def size(form: Form) -> int:
    """Count what documents of a form can say."""
    mentioned = {frozenset(gaps(text)) for text in form.texts}
    return sum(prod(field(form.fields[name]).size for name in names) for names in mentioned)


def draw(name: str, form: Form, rng: Random) -> Document:
    """Write a document at random."""
    number = rng.randrange(len(form.texts))
    text = form.texts[number]
    values = {gap: field(form.fields[gap]).draw(rng) for gap in gaps(text)}
    ways = {gap: rng.choice([*field(form.fields[gap]).ways(value)]) for gap, value in values.items()}
    return _document(name, form, number, values, ways)


def read(text: str, forms: Mapping[str, Form]) -> Document | None:
    """Read a document gap by gap; None where it is of no form, or may say two things."""
    found = {(each.form, each.said): each for name, form in forms.items() for each in _read(text, name, form)}
    return next(iter(found.values())) if len(found) == 1 else None


def _read(text: str, name: str, form: Form) -> Iterator[Document]:
    for number, own in enumerate(form.texts):
        kinds = {gap: field(form.fields[gap]) for gap in gaps(own)}
        if (found := _pattern(own, tuple(kind.pattern for kind in kinds.values())).fullmatch(text)) is None:
            continue
        said = dict(zip(kinds, found.groups(), strict=True))
        try:
            values = {gap: kind.read(said[gap]) for gap, kind in kinds.items()}
        except ValueError:
            continue
        ways = {
            gap: next((way for way, written in kind.ways(values[gap]).items() if written == said[gap]), "")
            for gap, kind in kinds.items()
        }
        if all(ways.values()):
            yield _document(name, form, number, values, ways)


def _document(name: str, form: Form, number: int, values: Mapping[str, Json], ways: Mapping[str, str]) -> Document:
    kinds = {gap: field(form.fields[gap]) for gap in values}
    return Document(
        form=name,
        text=fill(form.texts[number], lambda gap: kinds[gap].ways(values[gap])[ways[gap]]),
        said=json.dumps(
            _nested({each: values.get(each) for each in form.fields}), ensure_ascii=False, separators=(",", ":")
        ),
        features=frozenset(
            {f"form {name}", f"{name} text {number + 1}"}
            | {f"{gap} {way}" for gap, way in ways.items()}
            | {f"no {each}" for each in form.fields if each not in values}
            | {f"{len(value)} {gap}" for gap, value in values.items() if isinstance(value, list)}
        ),
    )


def _nested(values: Mapping[str, Json]) -> dict[str, Json]:
    """Put values whose names have dots inside of objects."""
    made: dict[str, Any] = {}
    for name, value in values.items():
        *outer, last = name.split(".")
        place = made
        for each in outer:
            place = place.setdefault(each, {})
        place[last] = value
    return made


def _object(names: Sequence[str], of: Callable[[str], Json], prefix: str = "") -> dict[str, Json]:
    """JSON Schema of an object with these fields and no others."""
    inner: dict[str, list[str]] = {}
    for name in names:
        inner.setdefault(name.partition(".")[0], []).append(name.partition(".")[2])
    properties = {
        name: of(f"{prefix}{name}") if rest == [""] else _object(rest, of, f"{prefix}{name}.")
        for name, rest in inner.items()
    }
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


@lru_cache(maxsize=1024)
def _pattern(text: str, patterns: tuple[str, ...]) -> re.Pattern[str]:
    pieces = [re.escape(piece) for piece in _pieces(text)[::2]]
    return re.compile(pieces[0] + "".join(f"({one}){piece}" for one, piece in zip(patterns, pieces[1:], strict=True)))


def _pieces(text: str) -> list[str]:
    """Take a text apart: what stands before the first gap, the gap's name, what follows it, and so on."""
    return fill(text, lambda name: f"{GAP}{name}{GAP}").split(GAP)
