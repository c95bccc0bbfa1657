"""Write `dates.parquet`: dates of 1900 to 2099 as people and programs write them, with the ISO form as the answer.

Run `python -m evolvent.scenarios.data.make_dates`; the same seed gives the same rows. A format gets as many days as its
part in the scenario needs: guards are what the first training draws from, so they get the most.
"""

import sys
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

PATH = Path(__file__).with_name("dates.parquet")
SEED = 0
FIRST, LAST = date(1900, 1, 1), date(2099, 12, 31)
KNOWN, NEW = 21_000, 12_500
"""Days of a format the student knows from the start, and of one it is to learn."""

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Row(NamedTuple):
    """One task."""

    skill: str
    prompt: str
    answer: str
    features: tuple[str, ...]


def slashed(day: date) -> str:
    """As in `2021/03/14`."""
    return f"{day.year}/{day.month:02}/{day.day:02}"


def log(day: date) -> str:
    """As in `14/Mar/2021`, the access log of a web server."""
    return f"{day.day:02}/{_short(day)}/{day.year}"


def german(day: date) -> str:
    """As in `14.03.2021`."""
    return f"{day.day:02}.{day.month:02}.{day.year}"


def mail(day: date) -> str:
    """As in `Sun, 14 Mar 2021`, the head of an e-mail (RFC 5322)."""
    return f"{DAYS[day.weekday()]}, {day.day:02} {_short(day)} {day.year}"


def written(day: date) -> str:
    """As in `14th of March 2021`."""
    return f"{day.day}{_ordinal(day.day)} of {MONTHS[day.month - 1]} {day.year}"


FORMATS: dict[str, tuple[Callable[[date], str], int]] = {
    "slashed": (slashed, KNOWN),
    "log": (log, KNOWN),
    "german": (german, NEW),
    "mail": (mail, NEW),
    "written": (written, NEW),
}
"""How a format is written, and how many days it gets."""


def rows(seed: int = SEED) -> list[Row]:
    """Draw the days of every format; the days of one format are distinct."""
    days = [FIRST + timedelta(n) for n in range((LAST - FIRST).days + 1)]
    return [
        Row(skill, write(day), day.isoformat(), features(day))
        for skill, (write, count) in sorted(FORMATS.items())
        for day in sorted(Random(f"{seed}/{skill}").sample(days, count))
    ]


def features(day: date) -> tuple[str, ...]:
    """What is true of a date, whatever its format."""
    width = "two digits" if day.day > 9 else "one digit"
    return f"month {_short(day)}", f"day of {width}", f"day ends in {day.day % 10}", f"century {day.year // 100}"


def write(path: Path, made: Sequence[Row]) -> None:
    """Write rows as Parquet; neighbouring days share their beginnings, which delta encoding leaves out."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist([row._asdict() for row in made])
    texts = ["prompt", "answer"]
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=19,
        use_dictionary=False,
        column_encoding=dict.fromkeys(texts, "DELTA_BYTE_ARRAY"),
        write_statistics=False,
    )


def _short(day: date) -> str:
    """First three letters of the month."""
    return MONTHS[day.month - 1][:3]


def _ordinal(day: int) -> str:
    """End of a written ordinal: 11th, 12th and 13th are the exceptions."""
    return "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


if __name__ == "__main__":
    made = rows()
    write(PATH, made)
    sys.stdout.write(f"{PATH}: {len(made):,} rows, {PATH.stat().st_size:,} bytes\n")
