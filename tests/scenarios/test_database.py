import re
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evolvent.memory.errors import PartError
from evolvent.memory.records import Task
from evolvent.scenarios import catalogue
from evolvent.scenarios.data import make_library
from evolvent.scenarios.questions import SHAPES, quoted
from evolvent.scenarios.relations import named
from evolvent.scenarios.source import Source

from .builders import LIBRARY, make_database, make_source, make_verifier

ODD = """
CREATE TABLE "order" ("order id" INTEGER PRIMARY KEY, "group by" TEXT, "a ""b"" c" INTEGER, "select" REAL, Größe TEXT);
INSERT INTO "order" VALUES (1, 'O''Neil', 4, 0.5, 'S'), (2, 'where x is y', 5, 1.5, 'M'), (3, 'a "b"', 6, 1e30, 'S'),
                           (4, 'over 5', 7, -2.25, 'M');
CREATE TABLE node (id INTEGER PRIMARY KEY, name TEXT, parent_id INTEGER REFERENCES node);
INSERT INTO node VALUES (1, 'root', NULL), (2, 'left', 1), (3, 'right', 1);
CREATE TABLE letter (sender_id INTEGER REFERENCES Node (ID), receiver_id INTEGER REFERENCES node (id), body BLOB,
                     mixed, day);
INSERT INTO letter VALUES (1, 2, x'00ff', 1, '2024-01-01'), (1, 3, x'01', 'one', '2024-01-02'),
                          (2, 3, x'02', NULL, NULL);
CREATE TABLE blank (a, b);
CREATE VIEW named AS SELECT name, length(name) AS letters FROM node;
CREATE VIEW broken AS SELECT * FROM gone;
"""

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12).filter(
    lambda name: not name.casefold().startswith("sqlite_")
)


def every(source: Source, *shapes: str, **kind: Any) -> list[Task]:
    return source.draw("talk", {"shapes": shapes or SHAPES, **kind}, 10**6, Random(0), allowed=lambda _: True)


def found(source: Source, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(source.describe()["path"])) as file:
        return file.execute(query).fetchall()


@pytest.fixture
def odd(tmp_path: Path) -> Source:
    return make_database(tmp_path, ODD)


def test_whatever_things_are_called_every_question_is_read_as_it_was_meant_and_finds_rows(odd: Source) -> None:
    tasks = every(odd)
    assert {shape for task in tasks for shape in SHAPES if shape in task.features} == {*SHAPES}
    for task in tasks:
        assert odd.solve(task) == task.key == task.answer
        assert odd.adopt("talk", {}, task.prompt, task.answer) == task
        assert found(odd, task.answer), task.prompt
        assert "aggregate" not in task.features or found(odd, task.answer) != [(None,)]
    assert len({task.prompt for task in tasks}) == len(tasks)


def test_what_a_question_gives_away_is_not_asked_for(odd: Source) -> None:
    for task in every(odd, "filter", "top", "join"):
        given = {feature.removeprefix("condition on ") for feature in task.features if feature.startswith("condition")}
        assert "join" in task.features or not given & {f.removeprefix("shows ") for f in task.features}, task.prompt


def test_a_reference_passes_its_verifier(odd: Source) -> None:
    verifier = make_verifier("sql", database=odd.describe()["path"])
    assert all(verifier.judge(task, odd.solve(task) or "").passed for task in every(odd))


def test_a_text_that_is_no_utf_8_is_not_named_but_may_be_found(tmp_path: Path) -> None:
    rows = "INSERT INTO t VALUES (CAST(x'e9' AS TEXT), 1), ('ok', 2), ('ok', 3), ('well', 4);"
    source = make_database(tmp_path, f"CREATE TABLE t (said TEXT, b INTEGER); {rows}")
    verifier = make_verifier("sql", database=str(tmp_path / "tasks.sqlite"))
    tasks = every(source)
    assert "SELECT said FROM t WHERE b = 1" in {task.answer for task in tasks}
    assert all(verifier.judge(task, task.answer).passed for task in tasks)


def test_what_the_verifier_may_not_read_or_nobody_can_name_is_not_asked_about(tmp_path: Path) -> None:
    script = "CREATE TABLE namé (a TEXT, ét TEXT); INSERT INTO namé VALUES ('a', 'b'), ('c', 'd');"
    make_database(
        tmp_path,
        script + "CREATE VIRTUAL TABLE words USING fts5(a); INSERT INTO words VALUES ('x'), ('y');"
        "CREATE VIEW luck AS SELECT random() AS a FROM words_content;",
    )
    path = tmp_path / "tasks.sqlite"
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xe9\xe9"))
    source, verifier = make_source("database", path=str(path)), make_verifier("sql", database=str(path))
    assert all(verifier.judge(task, task.answer).passed for task in every(source))
    for name, reason in (
        ("words", "constructor failed"),
        ("luck", "not authorized"),
        ("nam", "surrogates not allowed"),
    ):
        assert re.search(
            rf"nothing is asked about '{name}.*', which cannot be read: .*({reason})", "; ".join(source.remarks())
        )


def test_a_column_that_is_computed_counts_where_two_tables_have_one_of_its_name(tmp_path: Path) -> None:
    script = """
    CREATE TABLE o (id INTEGER PRIMARY KEY, x INTEGER, y INTEGER GENERATED ALWAYS AS (x * 2));
    CREATE TABLE t (y INTEGER, o_id INTEGER REFERENCES o);
    INSERT INTO o (id, x) VALUES (1, 5), (2, 6); INSERT INTO t VALUES (1, 1), (2, 2);"""
    source = make_database(tmp_path, script)
    assert all(found(source, task.answer) for task in every(source))
    assert source.holds("SELECT t.y FROM t JOIN o ON o_id = id WHERE o.y = 12")


def test_a_column_that_refers_to_two_things_is_not_asked_through(tmp_path: Path) -> None:
    script = """
    CREATE TABLE p (id INTEGER PRIMARY KEY, x TEXT); CREATE TABLE q (id INTEGER PRIMARY KEY, x TEXT);
    CREATE TABLE t (one INTEGER REFERENCES p (id) REFERENCES q (id), two INTEGER REFERENCES p, y INTEGER);
    INSERT INTO p VALUES (1, 'u'); INSERT INTO q VALUES (1, 'u'); INSERT INTO t VALUES (1, 1, 2), (1, 1, 5);"""
    tasks = every(source := make_database(tmp_path, script), "join")
    assert {feature for task in tasks for feature in task.features if "through" in feature} == {"through two"}
    assert all(source.solve(task) == task.answer for task in tasks)


def test_tables_that_refer_to_themselves_or_twice_to_another_are_joined(odd: Source) -> None:
    nodes = {task.key for task in every(odd, "join", tables=["node"])}
    assert (
        "SELECT node.name FROM node JOIN node AS other ON node.parent_id = other.id WHERE other.name = 'root'" in nodes
    )
    letters = {task.key: task.prompt for task in every(odd, "join", tables=["letter"])}
    for role in ("sender", "receiver"):
        key = f"SELECT day FROM letter JOIN node ON {role}_id = id WHERE name = 'right'"
        if role == "receiver":
            assert f"{role}'s name" in letters[key]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("title", "title"),
        ("unit_price", "unit_price"),
        ("select", '"select"'),
        ("current_date", '"current_date"'),
        ("two words", '"two words"'),
        ('a"b', '"a""b"'),
        ("Größe", '"Größe"'),
        ("1st", '"1st"'),
        ("", '""'),
    ],
)
def test_a_name_is_quoted_where_sqlite_would_take_it_for_something_else(name: str, written: str) -> None:
    assert named(name) == written


@pytest.mark.parametrize(
    ("prompt", "query"),
    [
        ("title of book where genre is crime", "SELECT title FROM book WHERE genre = 'crime'"),
        ("list day for loan with weeks < 4", "SELECT day FROM loan WHERE weeks < 4"),
        ("average pages of book where genre is crime", "SELECT avg(pages) FROM book WHERE genre = 'crime'"),
        ("count author with country = Peru", "SELECT count(*) FROM author WHERE country = 'Peru'"),
        ("for each genre number of book", "SELECT genre, count(*) FROM book GROUP BY genre"),
        ("title of 3 book by highest pages", "SELECT title FROM book ORDER BY pages DESC LIMIT 3"),
        ("find latest joined for member", "SELECT max(joined) FROM member"),
        (
            "list title for book with author's country = Peru",
            "SELECT title FROM book JOIN author ON author_id = author.id WHERE country = 'Peru'",
        ),
    ],
)
def test_a_question_is_answered_by_its_query(prompt: str, query: str) -> None:
    source = make_source("database", path=str(make_library.PATH))
    assert source.solve(Task(skill="talk", prompt=prompt, answer="", key="")) == query


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "title of book where",
        "title of books",
        "tilte of book",
        "title of book where pages is after 3",
        "count book!",
    ],
)
def test_what_is_no_question_has_no_query(prompt: str) -> None:
    source = make_source("database", path=str(make_library.PATH))
    assert source.solve(Task(skill="talk", prompt=prompt, answer="", key="")) is None


def test_many_words_of_the_grammar_are_no_question_and_are_read_at_once() -> None:
    source = make_source("database", path=str(make_library.PATH))
    prompt = f"list {' and '.join(['title'] * 500)}"
    assert source.solve(Task(skill="talk", prompt=prompt, answer="", key="")) is None


def test_the_file_is_read_and_stays_as_it_is(tmp_path: Path) -> None:
    source = make_database(tmp_path, ODD)
    before = (tmp_path / "tasks.sqlite").read_bytes()
    assert every(source)
    assert (tmp_path / "tasks.sqlite").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["tasks.sqlite"]


@pytest.mark.parametrize(
    "prompt",
    [
        "largest title of book",
        "total genre of book where title is Dawn",
        "title of 2 book by lowest title",
        "title of book where pages is nan",
        "title of book where pages is over -inf",
        "title and title of book where genre is crime",
    ],
)
def test_what_is_said_of_a_column_that_cannot_be_is_no_question(tmp_path: Path, prompt: str) -> None:
    source = make_database(tmp_path, LIBRARY)
    assert source.solve(source.adopt("talk", {}, prompt, "SELECT 1")) is None


@pytest.mark.parametrize(
    "prompt",
    [
        "title of book where genre is poetry",
        "title of book where pages is 99999999999999999999999",
        "number of book per genre where title is a\0b",
        "average pages of book where genre is poetry",
    ],
)
def test_a_question_that_finds_nothing_is_refused_and_has_no_answer(tmp_path: Path, prompt: str) -> None:
    source = make_database(tmp_path, LIBRARY)
    with pytest.raises(ValueError, match="finds nothing"):
        source.adopt("talk", {}, prompt, "SELECT 1")
    assert source.solve(Task(skill="talk", key="k", prompt=prompt, answer="SELECT 1")) is None


def test_what_cannot_be_asked_about_is_said(odd: Source) -> None:
    empty, broken = odd.remarks()
    assert "nothing is asked about 'broken', which cannot be read: no such table" in broken
    assert empty == "nothing is asked about 'blank', which is empty"
    assert not any("body" in task.key or "mixed" in task.key for task in every(odd))


def test_rows_are_ordered_only_where_the_order_is_decided(tmp_path: Path) -> None:
    script = "CREATE TABLE t (a TEXT, n INTEGER); INSERT INTO t VALUES ('x', 1), ('y', 2), ('z', 2), ('w', 3);"
    source = make_database(tmp_path, script)
    orders = {task.key.partition("ORDER BY ")[2] for task in every(source, "top")}
    assert orders == {"n LIMIT 1", "n DESC LIMIT 1"}


def test_numbers_are_added_up_only_where_sqlite_can(tmp_path: Path) -> None:
    script = f"CREATE TABLE t (n INTEGER, m INTEGER); INSERT INTO t VALUES ({2**62}, 1), ({2**62}, 2), (1, 3);"
    source = make_database(tmp_path, script)
    sums = {task.key.partition(" FROM")[0] for task in every(source, "aggregate") if "sum" in task.features}
    assert sums == {"SELECT sum(m)"}


def test_texts_that_are_long_or_cannot_be_shown_are_not_named(tmp_path: Path) -> None:
    script = "CREATE TABLE t (a TEXT, b); INSERT INTO t VALUES ('short', 'x'), ('much longer', 'y'), (char(10), 'z');"
    named = {task.key.partition("WHERE ")[2] for task in every(make_database(tmp_path, script, longest=5), "count")}
    assert named == {"", "a = 'short'", "b = 'x'", "b = 'y'", "b = 'z'"}


def test_a_question_in_other_words_is_the_task_that_has_its_query(tmp_path: Path) -> None:
    source = make_database(tmp_path, LIBRARY)
    query = "SELECT title FROM book WHERE genre = 'crime'"
    other = source.adopt("talk", {}, "Which crime novels are there?", f"{query};")
    assert (other.key, other.prompt) == (query, "Which crime novels are there?")
    assert source.adopt("talk", {}, "Which novels are there?", "SELECT title FROM book").key != "SELECT title FROM book"
    with pytest.raises(ValueError, match="is no task of skill 'talk'"):
        source.adopt("talk", {"shapes": ["count"]}, "title of book where genre is crime", query)


@pytest.mark.parametrize(
    ("script", "kind", "reason"),
    [
        (LIBRARY, {"tables": ["boks"]}, r"no table 'boks' with rows; did you mean 'book'\?; it has: author, book"),
        ("CREATE TABLE t (a);", {}, r"has nothing to ask in the shapes filter, count"),
        ("CREATE TABLE t (a); INSERT INTO t VALUES ('x')", {"shapes": ["join"]}, r"'join' needs a foreign key"),
        (LIBRARY, {"shapes": []}, r"skills\.talk\.task: source 'database': shapes"),
        (LIBRARY, {"shapes": ["joins"]}, r"skills\.talk\.task: source 'database': shapes"),
    ],
)
def test_settings_that_no_question_meets_are_refused(
    tmp_path: Path, script: str, kind: dict[str, Any], reason: str
) -> None:
    with pytest.raises(PartError, match=reason):
        make_database(tmp_path, script).check("talk", kind)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PartError, match=r"source\.path: no such file: .*none\.sqlite"):
        make_source("database", path=str(tmp_path / "none.sqlite")).check("talk", {})
    (tmp_path / "odd.sqlite").write_text("no database, but longer than a header of SQLite would be: " * 20)
    with pytest.raises(PartError, match=r"odd\.sqlite cannot be read as a SQLite database: file is not a database"):
        make_source("database", path=str(tmp_path / "odd.sqlite")).check("talk", {})


def test_a_view_without_an_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "SECONDS", 0.1)
    endless = "CREATE VIEW v AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
    with pytest.raises(PartError, match=r"was not read in 0\.1 s; use a copy with fewer rows"):
        make_database(tmp_path, endless).check("talk", {})


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(NAMES, min_size=3, max_size=3, unique_by=str.casefold))
def test_any_names_make_questions_with_one_meaning(tmp_path: Path, names: list[str]) -> None:
    table, one, two = (quoted(name) for name in names)
    rows = "".join(f"INSERT INTO {table} VALUES ('v{n % 2}', {n});" for n in range(4))
    (tmp_path / "tasks.sqlite").unlink(missing_ok=True)
    tasks = every(source := make_database(tmp_path, f"CREATE TABLE {table} ({one} TEXT, {two} INTEGER);{rows}"))
    assert len(tasks) > 10
    assert all(source.solve(task) == task.key for task in tasks)


def test_the_library_on_disk_is_the_one_the_program_makes(tmp_path: Path) -> None:
    make_library.write(made := tmp_path / "library.sqlite")
    with closing(sqlite3.connect(made)) as one, closing(sqlite3.connect(make_library.PATH)) as other:
        assert list(one.iterdump()) == list(other.iterdump())
