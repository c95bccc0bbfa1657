"""Write `library.sqlite`: a small lending library with authors, books, members and loans, none of them real.

Run `python -m evolvent.scenarios.data.make_library`; the same seed gives the same rows.
"""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from random import Random

PATH = Path(__file__).with_name("library.sqlite")
SEED = 0
AUTHORS, BOOKS, MEMBERS, LOANS = 40, 120, 60, 240
OPENED = date(2021, 1, 1)
TABLES = """
PRAGMA page_size = 1024;
CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT, country TEXT, born INTEGER);
CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT, author_id INTEGER REFERENCES author (id), genre TEXT,
                   year INTEGER, pages INTEGER);
CREATE TABLE member (id INTEGER PRIMARY KEY, name TEXT, city TEXT, joined TEXT);
CREATE TABLE loan (id INTEGER PRIMARY KEY, book_id INTEGER REFERENCES book (id),
                   member_id INTEGER REFERENCES member (id), day TEXT, weeks INTEGER);
"""
FIRST = ("Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gita", "Hugo", "Ines", "Jon", "Kira", "Leo")
LAST = ("Abbot", "Bloom", "Castro", "Diaz", "Eder", "Fox", "Grant", "Hale", "Ito", "Jansen")
COUNTRIES = ("Chile", "Egypt", "Ghana", "India", "Japan", "Norway", "Peru", "Spain")
CITIES = ("Bergen", "Cairo", "Delhi", "Lima", "Osaka", "Porto")
GENRES = ("crime", "drama", "essay", "fable", "poems", "travel")
ADJECTIVES = ("Blue", "Cold", "Dark", "Early", "Far", "Green", "High", "Last", "Lost", "Quiet", "Red", "Wild")
NOUNS = ("Bay", "Bridge", "Coast", "Field", "Garden", "Hill", "House", "Moon", "River", "Road", "Storm", "Tide")


def rows(seed: int = SEED) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Draw the rows of every table; names and titles are distinct, and so are pages and years of birth."""
    rng = Random(seed)
    authors = rng.sample([f"{a} {b}" for a, b in product(FIRST, LAST)], AUTHORS + MEMBERS)
    born = rng.sample(range(1900, 1990), AUTHORS)
    for number in range(AUTHORS):
        yield "author", (number + 1, authors[number], rng.choice(COUNTRIES), born[number])
    titles = rng.sample([f"{a} {b}" for a, b in product(ADJECTIVES, NOUNS)], BOOKS)
    pages = rng.sample(range(80, 800), BOOKS)
    for number in range(BOOKS):
        by, genre, year = rng.randint(1, AUTHORS), rng.choice(GENRES), rng.randint(1950, 2020)
        yield "book", (number + 1, titles[number], by, genre, year, pages[number])
    for number in range(MEMBERS):
        joined = OPENED - timedelta(rng.randrange(3000))
        yield "member", (number + 1, authors[AUTHORS + number], rng.choice(CITIES), joined.isoformat())
    for number in range(LOANS):
        day = OPENED + timedelta(rng.randrange(1000))
        yield "loan", (number + 1, rng.randint(1, BOOKS), rng.randint(1, MEMBERS), day.isoformat(), rng.randint(1, 9))


def write(path: Path) -> None:
    """Write the file anew."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as file:
        file.executescript(TABLES)
        for table, values in rows():
            file.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608
        file.commit()


if __name__ == "__main__":
    write(PATH)
    sys.stdout.write(f"{PATH}: {PATH.stat().st_size:,} bytes\n")
