"""Every question that can be asked of a SQLite file, each with an answer that can decide.

By how they are made all find a row: values are values of the column, bounds leave rows on their other side, what is
ordered is apart where it is cut off, and what is aggregated under a condition has no gaps.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import permutations, product
from math import prod
from random import Random
from typing import Any, NamedTuple

from ..memory.errors import PartError
from .questions import FUNCTIONS, HOWS, Condition, Link, Query, Shape, alias, literal, origin, write
from .relations import Column, Relation, Schema, named, opened, schema, thinned, values

Figure = tuple[str, Column]
"""A function of SQL and what it is of."""
MOST = 12_000
"""Questions of a shape: every table has its even part, at random where it has more."""
ROWS = 1000
"""Rows that an answer lists at most."""
GROUPS = 200
"""Groups of an answer at most."""
LIMITS = (1, 2, 3, 5, 8)
"""How many rows are asked for of those that are ordered."""
LARGEST = 2.0**62
"""What sums of absolute values stay below."""
SECONDS = 60.0
"""Time in which a file has to be read: a view may be endless."""
SOON = 2.0
"""Seconds that a question of somebody else's may take."""
SORTED = 30
"""Conditions of a table under which rows are ordered."""


class Catalogue(NamedTuple):
    """What can be asked of a file."""

    schema: Schema
    queries: Mapping[Shape, Mapping[str, Query]]
    """By shape, and then by how they are written."""


@lru_cache(maxsize=4)
def catalogue(path: str, changed: int, size: int, longest: int) -> Catalogue:
    """Read a file and list what can be asked; time and size are there to notice that it changed.

    Args:
        path: the file.
        changed: when it was written.
        size: its bytes.
        longest: characters of a text that a question names.

    Raises:
        PartError: it cannot be read.
    """
    del changed, size
    with opened(path, seconds=SECONDS) as file:
        known = schema(file)
        most = MOST // max(1, len(known.relations))
        made: dict[Shape, dict[str, Query]] = {}
        for relation in known.relations:
            for query in _Table(file, relation, longest=longest, most=most).queries(known.relations):
                made.setdefault(query.shape, {})[write(query)] = query
    return Catalogue(known, made)


@lru_cache(maxsize=4096)
def finds(path: str, changed: int, size: int, query: str) -> bool:
    """Whether a query finds something soon, and no more than an answer lists; the rest is as in `catalogue`."""
    del changed, size
    try:
        with opened(path, seconds=SOON) as file:
            rows = file.execute(query).fetchmany(ROWS + 1)
    except (PartError, ValueError):  # a text that SQLite cannot hold
        return False
    return len(rows) <= ROWS and any(value is not None for row in rows for value in row)


class _Table:
    """One table of an open file."""

    def __init__(self, file: sqlite3.Connection, relation: Relation, *, longest: int, most: int) -> None:
        self._file, self._relation, self._longest, self._most = file, relation, longest, most
        self._asked = [column for column in relation.columns if not column.key]
        self._shown = [(c.name,) for c in self._asked] + [(a.name, b.name) for a, b in permutations(self._asked, 2)]
        self._measures = [column for column in self._asked if column.holds != "text"]

    def queries(self, relations: Sequence[Relation]) -> Iterator[Query]:
        """Give the questions of every shape."""
        found = list(self._conditions())
        every, figures = [None, *(condition for condition, _ in found)], self._figures()
        yield from self._filters([condition for condition, rows in found if rows <= ROWS])
        yield from (Query("count", self._relation, condition=one) for (one,) in self._some("count", every))
        yield from self._aggregates(figures, every)
        yield from self._groups(figures, every)
        several = [condition for condition, rows in found if condition.how == "is" and rows > 1]
        yield from self._tops([None, *thinned(several, SORTED)])
        yield from self._joins(relations)

    def _filters(self, conditions: Sequence[Condition]) -> Iterator[Query]:
        for shown, condition in self._some("filter", self._shown, conditions):
            if condition.column.name not in shown:
                yield Query("filter", self._relation, shown, condition=condition)

    def _aggregates(self, figures: Sequence[Figure], conditions: Sequence[Condition | None]) -> Iterator[Query]:
        for (function, column), condition in self._some("aggregate", figures, conditions):
            if condition is None or not (column.gaps or condition.column == column):
                yield Query("aggregate", self._relation, function=function, measured=column, condition=condition)

    def _groups(self, figures: Sequence[Figure], conditions: Sequence[Condition | None]) -> Iterator[Query]:
        most = min(GROUPS, self._relation.rows // 2)
        keys = [column for column in self._asked if 1 < column.distinct <= most]
        whole = [("", None), *(figure for figure in figures if not figure[1].gaps)]
        for key, (function, column), condition in self._some("group", keys, whole, conditions):
            if key != column and (condition is None or condition.column not in (key, column)):
                yield Query(
                    "group", self._relation, function=function, measured=column, by=key.name, condition=condition
                )

    def _tops(self, conditions: Sequence[Condition | None]) -> Iterator[Query]:
        orders = [
            (condition, column, descending, most)
            for condition, column, descending in product(conditions, self._measures, (False, True))
            if condition is None or condition.column != column
            for most in self._limits(condition, column, descending=descending)
        ]
        for shown, (condition, column, descending, most) in self._some("top", self._shown, orders):
            if condition is None or condition.column.name not in shown:
                yield Query(
                    "top", self._relation, shown, measured=column, descending=descending, most=most, condition=condition
                )

    def _joins(self, relations: Sequence[Relation]) -> Iterator[Query]:
        others = {relation.name: relation for relation in relations}
        links = [
            Link(reference, others[reference.other])
            for reference in self._relation.references
            if reference.other in others
        ]
        met = [(link, condition) for link in links for condition, rows in self._conditions(link) if rows <= ROWS]
        for shown, (link, condition) in self._some("join", self._shown, met):
            yield Query("join", self._relation, shown, condition=condition, link=link)

    def _some(self, what: str, *factors: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """Give combinations of what there is: all of them, or as many as there may be."""
        total = prod(map(len, factors))
        places = range(total)
        if total > self._most:
            places = sorted(Random(f"{what}/{self._relation.name}").sample(places, self._most))
        for place in places:
            chosen: list[Any] = []
            for factor in factors:
                place, at = divmod(place, len(factor))
                chosen.append(factor[at])
            yield tuple(chosen)

    def _figures(self) -> list[Figure]:
        """What can be said of columns as a whole."""
        return [
            (function, column)
            for column in self._measures
            for function in FUNCTIONS[column.holds]
            if function != "sum" or self._adds_up(column)
        ]

    def _adds_up(self, column: Column) -> bool:
        """Whether no sum of a column's numbers is beyond SQLite's integers, which would be an error."""
        said = f"SELECT total(abs(1.0 * {named(column.name)})) FROM {origin(self._relation)}"  # noqa: S608
        return self._file.execute(said).fetchone()[0] < LARGEST

    def _conditions(self, link: Link | None = None) -> Iterator[tuple[Condition, int]]:
        """What rows may have to be, or those they refer to, and how many are so at most."""
        columns = (link.other if link else self._relation).columns
        place = f"{alias(self._relation, link)}." if link else ""
        for column in columns:
            if column.key:
                continue
            name = f"{place}{named(column.name)}"
            found = values(self._file, name, origin(self._relation, link), longest=self._longest)
            for value, rows in found:
                yield Condition(column, "is", value), rows
                for how in HOWS[column.holds]:
                    if how != "is" and value != found[-1 if how == "over" else 0][0]:
                        yield Condition(column, how, value), self._relation.rows

    def _limits(self, condition: Condition | None, column: Column, *, descending: bool) -> list[int]:
        """How many rows can be asked for so that which they are, and in which order, is decided."""
        where = f"WHERE {named(condition.column.name)} = {literal(condition.value)} " if condition else ""
        name, order = named(column.name), "DESC" if descending else "ASC"
        said = f"SELECT {name} FROM {origin(self._relation)} {where}ORDER BY {name} {order} LIMIT {max(LIMITS) + 1}"  # noqa: S608
        first = [value for (value,) in self._file.execute(said)]
        return [
            most
            for most in LIMITS
            if most <= len(first) and None not in first[:most] and len(set(first[: most + 1])) == len(first[: most + 1])
        ]
