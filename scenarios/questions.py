"""Questions to a database and the queries that answer them: what is asked, in words and as SQL.

A question ends with its value, and a name that could be taken for words of the grammar stands in double quotes, so that
every question can be read in one way only; `hearing.py` reads it.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from .relations import Column, Holds, Reference, Relation, Value, named

Shape = Literal["filter", "count", "aggregate", "top", "group", "join"]
SHAPES: tuple[Shape, ...] = get_args(Shape)
How = Literal["is", "over", "under"]
Wording = Literal["where", "with"]
WORDINGS: tuple[Wording, ...] = get_args(Wording)
FUNCTIONS: Mapping[Holds, Mapping[str, str]] = {
    "text": {},
    "number": {"avg": "average", "sum": "total", "min": "smallest", "max": "largest"},
    "date": {"min": "earliest", "max": "latest"},
}
"""What can be said of a column as a whole, by what it holds: functions of SQL, and how they are called."""
SIGNS: Mapping[How, str] = {"is": "=", "over": ">", "under": "<"}
HOWS: Mapping[Holds, Mapping[How, str]] = {
    "text": {"is": ""},
    "number": {"is": "", "over": "over ", "under": "under "},
    "date": {"is": "", "over": "after ", "under": "before "},
}
"""What stands before a value, by what its column holds."""
EXTREMES: Mapping[tuple[bool, bool], str] = {
    (False, False): "lowest", (False, True): "highest", (True, False): "earliest", (True, True): "latest",
}  # fmt: skip
"""How the first rows are called, by whether they are dates and whether the order is descending."""
GRAMMAR = frozenset(
    {
        "after", "and", "average", "before", "by", "count", "each", "earliest", "find", "for", "from", "highest", "is",
        "largest", "latest", "list", "lowest", "number", "of", "over", "per", "smallest", "total", "under", "where",
        "with",
    }
)  # fmt: skip
"""Words that a name must not have to stand in a question as it is."""
SIMPLE = re.compile(r"[^\W_]+( [^\W_]+)*")
ENDS = re.compile(r"[_ ][iI][dD]$|(?<=[a-z])I[dD]$")
"""What a foreign key is called beside what it refers to."""
OTHER = "other"
"""What a table is called that refers to itself."""

FORMS: Mapping[tuple[Shape, Wording], str] = {
    ("filter", "where"): "{shown} of {table}",
    ("filter", "with"): "list {shown} for {table}",
    ("join", "where"): "{shown} of {table}",
    ("join", "with"): "list {shown} for {table}",
    ("count", "where"): "number of {table}",
    ("count", "with"): "count {table}",
    ("aggregate", "where"): "{figure} of {table}",
    ("aggregate", "with"): "find {figure} for {table}",
    ("top", "where"): "{shown} of {most} {table} by {extreme} {measured}",
    ("top", "with"): "list {shown} for {most} {table} from {extreme} {measured}",
    ("group", "where"): "{figure} of {table} per {by}",
    ("group", "with"): "for each {by} {figure} of {table}",
}
"""How a question begins; its condition follows."""


class Link(NamedTuple):
    """A foreign key and the table that it refers to."""

    reference: Reference
    other: Relation


@dataclass(frozen=True, slots=True)
class Condition:
    """Which rows are meant."""

    column: Column
    how: How
    value: Value


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of one table, or of one and what it refers to."""

    shape: Shape
    relation: Relation
    shown: tuple[str, ...] = ()
    """Columns that are listed."""
    function: str = ""
    """An aggregate of SQL; of a group without one the rows are counted."""
    measured: Column | None = None
    """What is aggregated, or ordered by."""
    by: str = ""
    """Column whose values make groups."""
    most: int = 0
    """Rows that are listed, of those that are ordered."""
    descending: bool = False
    condition: Condition | None = None
    link: Link | None = None
    """To the table that the condition is about."""


def write(query: Query) -> str:
    """Write a query as SQL; columns have their table before them where two tables have one of that name."""
    relation, link, condition, measured = query.relation, query.link, query.condition, query.measured
    asked = {
        "count": "count(*)",
        "aggregate": _measure(query),
        "group": f"{named(query.by)}, {_measure(query)}",
    }.get(query.shape) or ", ".join(_place(name, relation, link) for name in query.shown)
    parts = [f"SELECT {asked} FROM {origin(relation, link)}"]  # noqa: S608
    if condition is not None:
        place = _place(condition.column.name, relation, link, theirs=link is not None)
        parts.append(f"WHERE {place} {SIGNS[condition.how]} {literal(condition.value)}")
    if query.shape == "group":
        parts.append(f"GROUP BY {named(query.by)}")
    if query.shape == "top" and measured is not None:
        parts.append(f"ORDER BY {named(measured.name)}{' DESC' if query.descending else ''} LIMIT {query.most}")
    return " ".join(parts)


def origin(relation: Relation, link: Link | None = None) -> str:
    """Write what stands after FROM."""
    own = named(relation.name)
    if link is None:
        return own
    other, to = named(link.other.name), alias(relation, link)
    called = f"{other} AS {to}" if to != other else other
    left = _place(link.reference.column, relation, link)
    return f"{own} JOIN {called} ON {left} = {_place(link.reference.to, relation, link, theirs=True)}"


def _place(name: str, relation: Relation, link: Link | None, *, theirs: bool = False) -> str:
    """Write a column of a table, or of the one that it refers to."""
    both = [one.casefold() for one in (*relation.names, *(link.other.names if link else ()))]
    if link is None or both.count(name.casefold()) == 1:
        return named(name)
    return f"{alias(relation, link) if theirs else named(relation.name)}.{named(name)}"


def alias(relation: Relation, link: Link) -> str:
    """Write what the table is called that another one refers to; one that refers to itself has two names."""
    if link.other.name != relation.name:
        return named(link.other.name)
    return OTHER if relation.name.casefold() != OTHER else f"{OTHER}_one"


def literal(value: Value) -> str:
    """Write a value as SQL."""
    if not isinstance(value, str):
        return str(value)
    escaped = value.replace("'", "''")
    return f"'{escaped}'"


def say(query: Query, wording: Wording) -> str:
    """Ask for what a query finds."""
    columns, measured = told(query.relation), query.measured
    of, holds = (columns[measured.name], measured.holds) if measured is not None else ("", "text")
    said = FORMS[query.shape, wording].format(
        shown=" and ".join(columns[name] for name in query.shown),
        table=spoken([query.relation.name])[query.relation.name],
        figure=f"{FUNCTIONS[holds][query.function]} {of}" if query.function else "number",
        measured=of,
        by=columns.get(query.by, ""),
        most=query.most,
        extreme=EXTREMES[holds == "date", query.descending],
    )
    return f"{said}{_condition(query, columns, wording)}"


def told(relation: Relation) -> dict[str, str]:
    """Say the columns of a table."""
    return spoken([column.name for column in relation.columns])


def roles(relation: Relation) -> dict[str, str]:
    """Say what the foreign keys of a table refer to: their own names, without `id` at the end where that is clear."""
    names = [reference.column for reference in relation.references]
    short = [ENDS.sub("", name) for name in names]
    kept = [cut if short.count(cut) == 1 else name for name, cut in zip(names, short, strict=True)]
    said = spoken(kept)
    return {name: said[cut] for name, cut in zip(names, kept, strict=True)}


def spoken(names: Sequence[str]) -> dict[str, str]:
    """Say names: `_` as a space, and in double quotes what could be taken for something else."""
    simple = {name: name.replace("_", " ") for name in names}
    counts = Counter(said.casefold() for said in simple.values())
    return {
        name: said if counts[said.casefold()] == 1 and _clear(said) else quoted(name) for name, said in simple.items()
    }


def quoted(name: str) -> str:
    """Put a name in double quotes."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def _clear(said: str) -> bool:
    """Whether words are a name and nothing of the grammar."""
    return bool(SIMPLE.fullmatch(said)) and GRAMMAR.isdisjoint(said.casefold().split())


def _measure(query: Query) -> str:
    return f"{query.function}({named(query.measured.name)})" if query.measured is not None else "count(*)"


def _condition(query: Query, columns: Mapping[str, str], wording: Wording) -> str:
    """The condition in words."""
    if (condition := query.condition) is None:
        return ""
    name = condition.column.name
    if (link := query.link) is None:
        place = columns[name]
    else:
        place = f"{roles(query.relation)[link.reference.column]}'s {told(link.other)[name]}"
    if wording == "with":
        return f" with {place} {SIGNS[condition.how]} {condition.value}"
    return f" where {place} is {HOWS[condition.column.holds][condition.how]}{condition.value}"
