"""Forms of documents: texts with gaps for fields, the JSON that says what a document says, and its schema.

A field that a text does not mention is null in its JSON; one with a dot in its name, `to.city`, is inside another.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import chain
from math import prod
from random import Random
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from ..memory.errors import suggest
from .fields import FIELDS, Json, Written, field
from .fields import Field as Kind
from .plain import read_json
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
    found: dict[tuple[str, str], Document] = {}
    for each in chain.from_iterable(_read(text, name, form) for name, form in forms.items()):
        found[each.form, each.said] = each
        if len(found) > 1:
            return None
    return next(iter(found.values()), None)


def meant(text: str, form: Form) -> str | None:
    """Write JSON that says what a document of a form can say as `Document.said` has it; None where none says that."""
    from jsonschema.validators import Draft202012Validator

    try:
        given = read_json(text)
    except ValueError:
        return None
    if not Draft202012Validator(schema(form)).is_valid(given):
        return None
    values = {name: reduce(lambda place, each: place[each], name.split("."), given) for name in form.fields}
    there = {name: field(form.fields[name]).again(value) for name, value in values.items() if value is not None}
    known = {name: one.value for name, one in there.items() if one is not None}
    possible = len(known) == len(there) and any(there.keys() == {*gaps(one)} for one in form.texts)
    return _said(form, known) if possible else None


def _read(text: str, name: str, form: Form) -> Iterator[Document]:
    for number, own in enumerate(form.texts):
        kinds = {gap: field(form.fields[gap]) for gap in gaps(own)}
        for found in _apart(text, _pieces(own)[::2], [*kinds.values()]):
            said = dict(zip(kinds, found, strict=True))
            values, ways = {gap: one.value for gap, one in said.items()}, {gap: one.way for gap, one in said.items()}
            yield _document(name, form, number, values, ways)


def _apart(text: str, between: Sequence[str], kinds: Sequence[Kind]) -> Iterator[tuple[Written, ...]]:
    """Take a text apart in every way there is: what is written in each gap, in order."""
    dead: set[tuple[int, int]] = set()

    def follow(gap: int, at: int) -> Iterator[tuple[Written, ...]]:
        """What may be written in this gap and the later ones, from a place on."""
        if gap == len(kinds):
            yield from [()] if at == len(text) else []
            return
        after, living = between[gap + 1], False
        end = text.find(after, at) if gap < len(kinds) - 1 else max(at, len(text) - len(after))
        while end >= 0 and (gap, at) not in dead:
            if text.startswith(after, end) and (own := kinds[gap].written(text[at:end])):
                for later in follow(gap + 1, end + len(after)):
                    living = True
                    yield (own, *later)
            end = text.find(after, end + 1) if end < len(text) else -1
        if not living:
            dead.add((gap, at))

    return follow(0, len(between[0])) if text.startswith(between[0]) else iter(())


def _document(name: str, form: Form, number: int, values: Mapping[str, Json], ways: Mapping[str, str]) -> Document:
    kinds = {gap: field(form.fields[gap]) for gap in values}
    return Document(
        form=name,
        text=fill(form.texts[number], lambda gap: kinds[gap].ways(values[gap])[ways[gap]]),
        said=_said(form, values),
        features=frozenset(
            {f"form {name}", f"{name} text {number + 1}"}
            | {f"{gap} {way}" for gap, way in ways.items()}
            | {f"no {each}" for each in form.fields if each not in values}
            | {f"{len(value)} {gap}" for gap, value in values.items() if isinstance(value, list)}
        ),
    )


def _said(form: Form, values: Mapping[str, Json]) -> str:
    """Write what a document says as JSON; what it has no value for is null."""
    said = _nested({name: values.get(name) for name in form.fields})
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


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


def _pieces(text: str) -> list[str]:
    """Take a text apart: what stands before the first gap, the gap's name, what follows it, and so on."""
    return fill(text, lambda name: f"{GAP}{name}{GAP}").split(GAP)
