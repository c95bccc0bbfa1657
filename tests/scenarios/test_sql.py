import sqlite3
from pathlib import Path

import pytest

from evolvent.memory.errors import PartError
from evolvent.memory.records import Task
from evolvent.scenarios.loader import load

from .builders import make_task, make_verifier
from .cases import SHOP

ITEMS = "SELECT item, price FROM sold"


def asking(query: str, script: str = SHOP) -> Task:
    return make_task(answer=query).model_copy(update={"checks": script})


@pytest.mark.parametrize(
    ("reference", "answer", "passed", "why"),
    [
        (ITEMS, "SELECT item, price FROM sold ORDER BY price", True, ""),
        (ITEMS, "```sql\nSELECT item AS what, price * 1.0 FROM sold;\n```", True, ""),
        (ITEMS, "SELECT price, item FROM sold", False, "lacks"),
        (ITEMS, "SELECT item FROM sold", False, "expected 2 columns, got 1"),
        (ITEMS, "SELECT DISTINCT item, 1 FROM sold", False, "2 rows for 3"),
        (f"{ITEMS} ORDER BY price", f"{ITEMS} ORDER BY price DESC", False, "in another order"),
        (f"{ITEMS} ORDER BY price", f"{ITEMS} ORDER BY price", True, ""),
        (f"SELECT * FROM ({ITEMS} ORDER BY price) WHERE item <> 'order by'", ITEMS, True, ""),
        ("SELECT 0.1 + 0.2", "SELECT 0.3", True, ""),
        ("SELECT avg(price) FROM sold", "SELECT sum(price) / count(*) FROM sold", True, ""),
        (ITEMS, "SELECT item, price FROM bought", False, "no such table"),
        (ITEMS, "", False, "asks for nothing"),
        (ITEMS, "-- nothing", False, "asks for nothing"),
        (ITEMS, f"{ITEMS}; DROP TABLE sold", False, "one statement"),
    ],
)
def test_rows_are_compared_and_not_words(reference: str, answer: str, passed: bool, why: str) -> None:
    verdict = make_verifier("sql").judge(asking(reference), answer)
    assert (verdict.passed, why in verdict.reason) == (passed, True), verdict


@pytest.mark.parametrize(
    "answer",
    [
        "DELETE FROM sold",
        "DROP TABLE sold",
        "CREATE TABLE x (y)",
        "CREATE TEMP TABLE x AS SELECT 1",
        "INSERT INTO sold VALUES ('x', 1) RETURNING *",
        "ATTACH '/etc/hostname' AS x",
        "VACUUM INTO 'copy.sqlite'",
        "PRAGMA query_only = 0",
        "PRAGMA table_info(sold)",
        "SELECT load_extension('x')",
        "BEGIN",
    ],
)
def test_a_query_can_change_nothing_and_reach_nothing(answer: str, tmp_path: Path) -> None:
    path = tmp_path / "shop.sqlite"
    with sqlite3.connect(path) as database:
        database.executescript(SHOP)
    database.close()
    before = path.read_bytes()
    verifier = make_verifier("sql", database=str(path))
    assert not verifier.judge(make_task(answer=ITEMS), answer).passed
    assert verifier.judge(make_task(answer=ITEMS), ITEMS).passed
    assert (path.read_bytes(), [p.name for p in tmp_path.iterdir()]) == (before, ["shop.sqlite"])


def test_a_query_has_a_bound_in_time_and_rows() -> None:
    numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
    assert "more than 100 rows" in make_verifier("sql", rows=100).judge(asking(ITEMS), numbers).reason
    endless = numbers.replace("SELECT x FROM n", "SELECT count(*) FROM n")
    assert "not done after 0.2 s" in make_verifier("sql", seconds=0.2).judge(asking(ITEMS), endless).reason


@pytest.mark.slow
def test_a_query_that_takes_all_memory_is_wrong_and_the_next_one_is_judged() -> None:
    verifier = make_verifier("sql", memory=256 << 20)
    hungry = (
        "WITH RECURSIVE n(x, y) AS (SELECT 1, hex(zeroblob(500000)) UNION ALL SELECT x + 1, y || '' FROM n) "
        "SELECT * FROM n ORDER BY y, x"
    )
    assert "memory" in verifier.judge(asking(ITEMS), hungry).reason
    assert verifier.judge(asking(ITEMS), ITEMS).passed


@pytest.mark.parametrize(
    ("query", "script", "why"),
    [
        ("SELECT cost FROM sold", SHOP, "its reference query fails: no such column"),
        ("SELECT * FROM sold WHERE 0", SHOP, "its reference query finds no row"),
        (ITEMS, "CREATE TABLE", "its database cannot be read"),
    ],
)
def test_a_task_that_cannot_decide_is_a_bug(query: str, script: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"task 'add:5,7': {why}"):
        make_verifier("sql").judge(asking(query, script), ITEMS)


def test_a_database_that_is_not_there_is_said() -> None:
    with pytest.raises(PartError, match=r"no such database: 'nowhere.sqlite'; set verifier.database"):
        make_verifier("sql", database="nowhere.sqlite").judge(make_task(answer=ITEMS), ITEMS)


def test_a_scenarios_database_lies_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(
        'name = "shop"\nsource = "arithmetic"\n[verifier]\nname = "sql"\ndatabase = "shop.sqlite"\n'
        "[skills.a]\ntask = { operation = 'add', digits = 1 }\n"
    )
    assert load(path).verifier.settings["database"] == str(tmp_path / "shop.sqlite")
