"""Kinds of fields: values as documents write them, in several ways, and what they are as data.

Every way of writing can be read back to the one value that it stands for.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import perm
from random import Random
from typing import Any, NamedTuple

Json = Any
FIRST = (
    "Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gita", "Hugo", "Ines", "Jon", "Kira", "Leo", "Mia", "Nils", "Olga",
    "Paul", "Rosa", "Sam", "Tara", "Vito",
)  # fmt: skip
LAST = (
    "Abbot", "Bloom", "Castro", "Diaz", "Eder", "Fox", "Grant", "Hale", "Ito", "Jansen", "Kern", "Lund", "Moss", "Nash",
    "Ortiz", "Park", "Quist", "Reed", "Silva", "Todd",
)  # fmt: skip
CITIES = (
    "Bergen", "Cairo", "Delhi", "Dublin", "Genoa", "Kyoto", "Lima", "Lyon", "Malmo", "Oslo", "Porto", "Quito", "Riga",
    "Sofia", "Tunis", "Turin",
)  # fmt: skip
ITEMS = (
    "bells", "books", "boots", "chairs", "clocks", "coats", "cups", "desks", "drums", "flutes", "forks", "hats", "jars",
    "kites", "lamps", "mugs", "nails", "pans", "pens", "ropes", "socks", "tents", "tiles", "vases",
)  # fmt: skip
NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
"""From 2 on."""
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
EARLIEST, DAYS = date(2000, 1, 1), 9131
"""Dates are of the years 2000 to 2024."""
LARGEST = 99
"""The largest count; the smallest is 2, so that what is counted is many."""
CENTS = 999_999
"""The largest amount, in hundredths."""
DIGITS = 15
"""Digits that every number keeps, in JSON as well."""
LISTED = 3
"""Things on a list at most."""
MONTH = "|".join(MONTHS)


class Written(NamedTuple):
    """A value, and the name of the way it is written in."""

    value: Json
    way: str


@dataclass(frozen=True, slots=True)
class Field:
    """A kind of field."""

    schema: Mapping[str, Json]
    """JSON Schema of its values."""
    size: int
    """Distinct values."""
    draw: Callable[[Random], Json]
    """Draws a value."""
    ways: Callable[[Json], Mapping[str, str]]
    """Writes a value in every way there is, by name."""
    pattern: str
    """Regular expression of all that is written so, without groups that capture."""
    read: Callable[[str], Json]
    """Reads what the pattern finds; a ValueError where that is no value."""

    def written(self, said: str) -> Written | None:
        """Read a text as a value in one of its ways; None where it is none."""
        if re.fullmatch(self.pattern, said) is None:
            return None
        try:
            value = self.read(said)
        except ValueError:
            return None
        return next((Written(value, way) for way, text in self.ways(value).items() if text == said), None)

    def again(self, value: Json) -> Written | None:
        """Write a value that fits the schema and read it back; None where that is not the same."""
        try:
            found = [self.written(text) for text in self.ways(value).values()]
        except (ValueError, OverflowError):
            return None
        return next((one for one in found if one is not None and one.value == value), None)


def chosen(texts: Sequence[str]) -> Field:
    """One of several texts, written as it is."""
    longest = sorted(texts, key=lambda text: (-len(text), text))
    return Field(
        schema={"type": "string"},
        size=len(set(texts)),
        draw=lambda rng: rng.choice(texts),
        ways=lambda text: {"as it is": text},
        pattern="|".join(map(re.escape, longest)),
        read=lambda said: said,
    )


def field(kind: str | Sequence[str]) -> Field:
    """Give a kind of field by its name, or one of the texts that a scenario lists."""
    return FIELDS[kind] if isinstance(kind, str) else chosen(kind)


def _counted(count: int) -> Mapping[str, str]:
    words = {"in words": NUMBERS[count - 2]} if 0 <= count - 2 < len(NUMBERS) else {}
    return {"in digits": str(count), **words}


def _count(said: str) -> int:
    return int(said) if said.isdigit() else NUMBERS.index(said) + 2


def _paid(amount: float) -> Mapping[str, str]:
    whole, cents = divmod(round(amount * 100), 100)
    ways = {"plain": f"{whole}.{cents:02}", "with a comma": f"{whole},{cents:02}"}
    if whole >= 1000:
        ways |= {
            "in thousands": f"{whole:,}.{cents:02}",
            "in thousands with a comma": f"{whole:,}".replace(",", ".") + f",{cents:02}",
        }
    return ways


def _amount(said: str) -> Json:
    if len(digits := re.sub(r"\D", "", said)) > DIGITS:
        raise ValueError(f"{len(digits)} digits are more than a number keeps")
    return _number(int(digits))


def _number(cents: int) -> Json:
    """Hundredths as the shortest number."""
    return cents // 100 if cents % 100 == 0 else cents / 100


def _dated(day: str) -> Mapping[str, str]:
    there = date.fromisoformat(day)
    name = MONTHS[there.month - 1]
    return {
        "day first": f"{there.day} {name} {there.year}",
        "month first": f"{name} {there.day}, {there.year}",
        "in figures": f"{there.day}.{there.month}.{there.year}",
    }


def _date(said: str) -> str:
    year = int(said[-4:])
    number, *others = (int(part) for part in re.findall(r"\d+", said[:-4]))
    month = others[0] if others else MONTHS.index(re.findall("[A-Z][a-z]+", said)[0]) + 1
    return date(year, month, number).isoformat()


def _listed(items: Sequence[str]) -> Mapping[str, str]:
    *first, last = items
    if not first:
        return {"alone": last}
    return {"with and": f"{', '.join(first)} and {last}", "with &": f"{', '.join(first)} & {last}"}


def _list(said: str) -> list[str]:
    return re.split(", | and | & ", said)


_ITEM = "|".join(ITEMS)
FIELDS: Mapping[str, Field] = {
    "person": chosen([f"{first} {last}" for first in FIRST for last in LAST]),
    "city": chosen(CITIES),
    "item": chosen(ITEMS),
    "items": Field(
        schema={"type": "array", "items": {"type": "string"}, "minItems": 1},
        size=sum(perm(len(ITEMS), count) for count in range(1, LISTED + 1)),
        draw=lambda rng: rng.sample(ITEMS, rng.randint(1, LISTED)),
        ways=_listed,
        pattern=f"(?:(?:{_ITEM}), )*(?:(?:{_ITEM}) (?:and|&) )?(?:{_ITEM})",
        read=_list,
    ),
    "count": Field(
        schema={"type": "integer"},
        size=LARGEST - 1,
        draw=lambda rng: rng.randint(2, LARGEST),
        ways=_counted,
        pattern=rf"\d{{1,{DIGITS}}}|{'|'.join(NUMBERS)}",
        read=_count,
    ),
    "amount": Field(
        schema={"type": "number"},
        size=CENTS,
        draw=lambda rng: _number(rng.randint(1, CENTS)),
        ways=_paid,
        pattern=rf"[\d.,]{{0,{DIGITS + 5}}}\d",
        read=_amount,
    ),
    "date": Field(
        schema={"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
        size=DAYS,
        draw=lambda rng: (EARLIEST + timedelta(rng.randrange(DAYS))).isoformat(),
        ways=_dated,
        pattern=rf"\d\d? (?:{MONTH}) \d{{4}}|(?:{MONTH}) \d\d?, \d{{4}}|\d\d?\.\d\d?\.\d{{4}}",
        read=_date,
    ),
}
"""Kinds of fields by name."""
