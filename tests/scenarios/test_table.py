import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from evolvent.memory.errors import PartError
from evolvent.memory.records import Task
from evolvent.scenarios.source import Source

from .builders import make_source, make_table

CITIES = "City,State,Zip\nBirmingham,AL,35233\nSheffield,AL,35660\nDothan,,36301\nJuneau,AK,99801\n"
ASKED: dict[str, Any] = {"prompt": "In which state is {City} ({Zip})?", "answer": "State"}


def everything(source: Source, **kind: Any) -> list[Task]:
    return source.draw("talk", kind, 100, Random(0), allowed=lambda _: True)


def test_a_template_asks_what_the_columns_say(tmp_path: Path) -> None:
    source = make_table(tmp_path, CITIES, prompt="{City}, {State} {{{Zip}}}?", answer="{Zip} {State}")
    assert {task.prompt: task.answer for task in everything(source)} == {
        "Birmingham, AL {35233}?": "35233 AL",
        "Sheffield, AL {35660}?": "35660 AL",
        "Dothan,  {36301}?": "36301",
        "Juneau, AK {99801}?": "99801 AK",
    }


def test_what_a_cell_holds_is_never_read_as_a_template(tmp_path: Path) -> None:
    source = make_table(tmp_path, "a.b,a\n{a},{0.__class__}\n", prompt="say {a.b}", answer="{a}")
    assert [(t.prompt, t.answer) for t in everything(source)] == [("say {a}", "{0.__class__}")]


@pytest.mark.parametrize("name", ["t.tsv", "t.csv", "t.txt", "t.parquet"])
def test_every_kind_of_table_holds_the_same_tasks(tmp_path: Path, name: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    lines = [line.split(",") for line in CITIES.replace("Dothan,,", "Dothan,AL,").splitlines()]
    delimiter = {"t.tsv": "\t", "t.txt": ";"}.get(name, ",")
    if name.endswith("parquet"):
        rows = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
        pq.write_table(pa.Table.from_pylist([{**row, "Zip": int(row["Zip"])} for row in rows]), tmp_path / name)
        source = make_source("table", path=str(tmp_path / name), **ASKED)
    else:
        text = "".join(delimiter.join(line) + "\n" for line in lines)
        given = {"delimiter": ";"} if delimiter == ";" else {}
        source = make_table(tmp_path, text, name=name, **ASKED, **given)
    assert sorted(t.prompt for t in everything(source))[0] == "In which state is Birmingham (35233)?"
    assert source.size("talk", {"where": {"State": "AL"}}) == 3
    assert source.size("talk", {"where": {"Zip": 99801}}) == 1


def test_a_skill_is_named_by_a_column_or_chosen_by_values(tmp_path: Path) -> None:
    text = "q,a,hard,topic\n1,x,true,talk\n2,y,False,talk\n3,z,TRUE,other\n"
    plain = make_table(tmp_path, text, prompt="{q}?", answer="a", procedural=True)
    assert [plain.size("any", {"where": {"hard": hard}}) for hard in (True, False)] == [2, 1]
    assert plain.size("any", {"where": {"q": 2.0}}) == 1
    named = make_table(tmp_path, text, prompt="{q}?", answer="a", skill="topic", procedural=True)
    assert (named.size("talk", {}), named.size("other", {})) == (2, 1)


def test_columns_become_features_where_they_are_named(tmp_path: Path) -> None:
    source = make_table(tmp_path, CITIES, prompt="{City}?", answer="Zip", features=["State"])
    told = {t.prompt: {f for f in t.features if f.startswith("State")} for t in everything(source)}
    assert told["Juneau?"] == {"State AK"}
    assert told["Dothan?"] == {"State"}
    assert len(source.draw("talk", {}, 9, Random(0), allowed=bool, having=["State AL"])) == 2


def test_a_file_without_a_header_gets_names(tmp_path: Path) -> None:
    source = make_table(tmp_path, "a\tb\t1\n'c\t\"d\t0\n", name="pairs.tsv", names=["left", "right", "same"], quote="",
                        prompt="{left} {right}", answer="same")  # fmt: skip
    assert {t.prompt: t.answer for t in everything(source)} == {"a b": "1", "'c \"d": "0"}


def test_a_template_reaches_into_rows_that_hold_lists_and_objects(tmp_path: Path) -> None:
    rows = [
        {"do": "Double it.", "kind": "sum", "cases": [{"given": "4", "wanted": "8"}, {"given": "x"}]},
        {"do": "Say yes.", "kind": "word", "cases": [{"given": "", "wanted": "yes"}]},
    ]
    path = tmp_path / "tasks.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    source = make_source("table", path=str(path), prompt="{do}\n{cases.0.given}", answer="cases.0.wanted")
    assert {t.prompt: t.answer for t in everything(source)} == {"Double it.\n4": "8", "Say yes.": "yes"}
    with pytest.raises(PartError, match=r"jsonl:1 has no column 'cases\.2\.given'; did you mean 'cases\.1\.given'"):
        make_source("table", path=str(path), prompt="{cases.2.given}", answer="do").check("talk", {})


def test_a_cell_may_hold_delimiters_and_lines_and_the_next_row_is_still_found(tmp_path: Path) -> None:
    text = 'q,a\n"one,\ntwo",x\n\nthree\n'
    with pytest.raises(PartError, match=r"tasks\.csv:5 has 1 cells where the columns are 2 \(q, a\); put what holds a"):
        make_table(tmp_path, text, prompt="q", answer="a").check("talk", {})
    source = make_table(tmp_path, text.replace("three", "three,y"), prompt="q", answer="a")
    assert {t.prompt for t in everything(source)} == {"one,\ntwo", "three"}


@pytest.mark.parametrize(
    ("text", "settings", "reason"),
    [
        ("", {}, r"tasks\.csv: no rows"),
        (CITIES, {"prompt": "{Citty}?", "answer": "Zip"}, r"csv:2 has no column 'Citty'; did you mean 'City'\?; it"),
        (CITIES, {"prompt": "{City}?", "answer": "Zap"}, r"csv:2 has no column 'Zap'; did you mean 'Zip'\?"),
        (CITIES, {"prompt": "{City}?", "answer": "State"}, r"csv:4: 'State' is ''; write a text or a number"),
        (CITIES, {"prompt": "{City}?", "answer": "{State}"}, r"csv:4: '\{State\}' comes to an empty text; fill its"),
        (CITIES, {"prompt": "{City}?", "answer": "Zip", "features": ["Stat"]}, r"csv:2 has no column 'Stat'"),
        ("a,,b\n", {}, r"csv:1: column 2 of the header has no name"),
        ("a,a\n", {}, r"csv:1: the header names 'a' twice"),
        ('q,a\nx,"y\n', {"prompt": "q", "answer": "a"}, r"csv:2: not a row of cells: .*source.quote"),
        ("q,a\nx,y\nX,z\n", {"prompt": "q", "answer": "a"}, r"lines 2 and 3 are the same task, .*'y' and 'z'"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_used_names_file_line_and_column(
    tmp_path: Path, text: str, settings: dict[str, Any], reason: str
) -> None:
    with pytest.raises(PartError, match=reason) as caught:
        make_table(tmp_path, text, **settings).check("talk", {})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"prompt": "{City"}, r"prompt: '\{City' has a brace that belongs to no column at character 1"),
        ({"prompt": "City}"}, r"at character 5; write \{column\}, and \{\{ or \}\} for a brace itself"),
        ({"answer": "{}"}, r"answer: .*brace"),
        ({"names": ["a", "a"]}, r"columns need names that differ"),
        ({"messages": "m"}, r"has no setting 'messages'"),
    ],
)
def test_a_setting_that_makes_no_table_is_refused(tmp_path: Path, settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(PartError, match=reason):
        make_table(tmp_path, CITIES, **settings)


def test_bytes_that_are_no_text_and_names_that_say_nothing_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"q,a\nx,\xe9\n")
    with pytest.raises(PartError, match=r"t\.csv:2: byte 6 of the file is not UTF-8"):
        make_source("table", path=str(tmp_path / "t.csv"), prompt="q", answer="a").check("talk", {})
    (tmp_path / "t.dat").write_text(CITIES)
    with pytest.raises(PartError, match=r"ends in none of \.csv, \.tsv, \.parquet, \.jsonl, .*; set source\.delimiter"):
        make_source("table", path=str(tmp_path / "t.dat"), prompt="q", answer="a").check("talk", {})


def test_a_table_that_changes_is_another_source(tmp_path: Path) -> None:
    first = make_table(tmp_path, CITIES, **ASKED | {"answer": "Zip"})
    before = (first.size("talk", {}), first.fingerprint())
    again = make_table(tmp_path, CITIES + "Bama,AL,1\n", **ASKED | {"answer": "Zip"})
    assert (again.size("talk", {}), again.fingerprint()) != before
    assert again.size("talk", {}) == 5
