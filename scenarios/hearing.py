"""Reads a question to a database back into what it asks: the other way round than it was written."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from math import isfinite
from typing import NamedTuple

from .questions import (
    EXTREMES,
    FORMS,
    FUNCTIONS,
    GRAMMAR,
    HOWS,
    SIGNS,
    Condition,
    How,
    Link,
    Query,
    Shape,
    Wording,
    roles,
    say,
    spoken,
    told,
)
from .relations import Column, Relation, Value

FIGURES: Mapping[str, str] = {word: function for words in FUNCTIONS.values() for function, word in words.items()}
"""Functions of SQL by how they are called."""
WORD = rf"(?!(?i:{'|'.join(sorted(GRAMMAR))})(?![^\W_]))[^\W_]+"
"""A word of a name; one that the grammar has is in quotes, so that a question can be taken apart in one way only."""
NAME = rf'(?:"(?:[^"]|"")*"|{WORD}(?: {WORD})*)'
"""A name as it is said."""
SLOTS: Mapping[str, str] = {
    "shown": f"(?P<shown>{NAME}(?: and {NAME})*)",
    "table": f"(?P<table>{NAME})",
    "figure": f"(?P<figure>number|(?:{'|'.join(FIGURES)}) {NAME})",
    "measured": f"(?P<measured>{NAME})",
    "by": f"(?P<by>{NAME})",
    "most": r"(?P<most>[1-9]\d{0,3})",
    "extreme": f"(?P<extreme>{'|'.join(EXTREMES.values())})",
}
ENDS: Mapping[Wording, str] = {
    "where": f"(?: where (?:(?P<role>{NAME})'s )?(?P<column>{NAME}) is (?P<value>.+))?",
    "with": f"(?: with (?:(?P<role>{NAME})'s )?(?P<column>{NAME}) (?P<value>[=<>] .+))?",
}


class Heard(NamedTuple):
    """What a question asks, and how it is worded."""

    query: Query
    wording: Wording


def hear(question: str, relations: Sequence[Relation]) -> Heard | None:
    """Read a question; None where it is none about these tables, written as `say` writes it."""
    for (shape, wording), pattern in _patterns().items():
        if (found := pattern.fullmatch(question)) is None:
            continue
        for query in _queries(shape, wording, found.groupdict(default=""), relations):
            if say(query, wording) == question:
                return Heard(query, wording)
    return None


@lru_cache(maxsize=1)
def _patterns() -> Mapping[tuple[Shape, Wording], re.Pattern[str]]:
    return {
        (shape, wording): re.compile(form.format(**SLOTS) + ENDS[wording]) for (shape, wording), form in FORMS.items()
    }


def _queries(shape: Shape, wording: Wording, said: Mapping[str, str], relations: Sequence[Relation]) -> Iterator[Query]:
    """What a question may ask, of the tables whose names it has."""
    for relation in relations:
        if spoken([relation.name])[relation.name] != said["table"] or (shape == "join") != bool(said["role"]):
            continue
        columns = {words: name for name, words in told(relation).items()}
        named = {column.name: column for column in relation.columns}
        function, _, measured = said.get("figure", "").partition(" ")
        measured = measured or said.get("measured", "")
        shown = re.findall(f"({NAME})(?: and |$)", said.get("shown", ""))
        wanted = [*shown, *([measured] if measured else []), *([said["by"]] if "by" in said else [])]
        if not all(words in columns for words in wanted) or len(set(shown)) < len(shown):
            continue
        # a text has neither figures nor an order to ask for
        if measured and FIGURES.get(function, "min") not in FUNCTIONS[named[columns[measured]].holds]:
            continue
        descending = {word: order for (_, order), word in EXTREMES.items()}
        for link in _links(relation, said["role"], relations):
            condition = _condition(link.other if link else relation, wording, said)
            if said["column"] and condition is None:
                continue
            yield Query(
                shape,
                relation,
                shown=tuple(columns[words] for words in shown),
                function=FIGURES.get(function, ""),
                measured=named[columns[measured]] if measured else None,
                by=columns[said["by"]] if "by" in said else "",
                most=int(said.get("most", 0)),
                descending=descending.get(said.get("extreme", ""), False),
                condition=condition,
                link=link,
            )


def _links(relation: Relation, role: str, relations: Sequence[Relation]) -> Iterator[Link | None]:
    """The foreign key that a question is about; None where it is about none."""
    if not role:
        yield None
        return
    others = {other.name: other for other in relations}
    words = roles(relation)
    for reference in relation.references:
        if words[reference.column] == role and reference.other in others:
            yield Link(reference, others[reference.other])


def _condition(relation: Relation, wording: Wording, said: Mapping[str, str]) -> Condition | None:
    """What the rows of a table have to be."""
    words = told(relation)
    column = next((column for column in relation.columns if words[column.name] == said["column"]), None)
    if column is None:
        return None
    how, value = _bound(column, wording, said["value"])
    return Condition(column, how, value) if value is not None and how in HOWS[column.holds] else None


def _bound(column: Column, wording: Wording, said: str) -> tuple[How, Value | None]:
    """How a column compares with which value."""
    if wording == "with":
        sign, _, rest = said.partition(" ")
        return next(how for how, written in SIGNS.items() if written == sign), _value(column, rest)
    for how, word in HOWS[column.holds].items():
        if word and said.startswith(word):
            return how, _value(column, said.removeprefix(word))
    return "is", _value(column, said)


def _value(column: Column, said: str) -> Value | None:
    """A value of a column as it is said."""
    if column.holds != "number":
        return said
    for kind in (int, float):
        with suppress(ValueError):
            value = kind(said)
            return value if isfinite(value) else None
    return None
