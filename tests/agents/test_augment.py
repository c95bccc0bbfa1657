"""A table of few rows gets more, and made rows that the real ones contradict are thrown out."""

import csv
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .calling import Cli

pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'evolvent[tables]'")


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Fruit that weight and colour tell apart."""
    rng, path = Random(0), tmp_path / "few.csv"
    rows = [(f"{rng.uniform(5, 9):.1f}", rng.randrange(3), "red", "cherry") for _ in range(15)]
    rows += [(f"{rng.uniform(120, 200):.1f}", rng.randrange(3), "green", "apple") for _ in range(15)]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("grams", "spots", "colour", "fruit"), *rows])
    return path


@pytest.mark.parametrize("method", ["interpolated", "marginal", "copula"])
def test_new_rows_look_like_the_real_ones_and_are_the_same_again(evolvent: Cli, few: Path, method: str) -> None:
    first, again = few.with_name("a.csv"), few.with_name("b.csv")
    for path in (first, again):
        done = evolvent("augment", few, "--label", "fruit", "--rows", 80, "--method", method, "-o", path, "--json")
        assert done.code == 0, done.err
    assert first.read_text() == again.read_text()
    rows = list(csv.DictReader(first.read_text().splitlines()))
    assert 0 < len(rows) <= 80
    assert {row["fruit"] for row in rows} == {"cherry", "apple"}
    assert {row["colour"] for row in rows} <= {"red", "green"}
    assert all(5 <= float(row["grams"]) <= 200 and len(row["grams"].partition(".")[2]) == 1 for row in rows)
    assert {row["spots"] for row in rows} <= {"0", "1", "2"}


def test_rows_that_somebody_made_are_kept_as_they_are_unless_contradicted_or_unreadable(
    evolvent: Cli, few: Path
) -> None:
    made = few.with_name("made.jsonl")
    rows = [
        {"grams": 7, "spots": 1, "colour": "red", "fruit": "cherry", "why": "as I was asked"},
        {"grams": 150, "spots": 1, "colour": "green", "fruit": "cherry"},
        {"grams": "about 7", "spots": 1, "colour": "red", "fruit": "cherry"},
        {"grams": 150, "spots": 1, "colour": "yellow", "fruit": "apple"},
        {"grams": 150, "spots": 1, "fruit": "apple"},
        {"grams": 150, "spots": 1, "colour": "green", "fruit": "pear"},
    ]
    made.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = few.with_name("kept.jsonl")
    done = evolvent("augment", few, "--label", "fruit", "--made", made, "-o", out, "--json")
    assert done.code == 0, done.err
    assert [json.loads(line) for line in out.read_text().splitlines()] == [rows[0], rows[3]]
    facts = json.loads(done.out)
    assert (facts["made"], facts["kept"], facts["contradicted"]) == (6, 2, 2)
    assert [fault.split(":")[0] for fault in facts["unreadable"]] == ["row 3", "row 5"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--label", "fruits"), "has no column 'fruits'; did you mean 'fruit'"),
        (("--label", "grams"), "name a column of two to 100 classes"),
        (("--label", "fruit", "--method", "copulas"), "did you mean 'copula'"),
        (("--label", "fruit", "--made", "nowhere.csv"), "no such file"),
        (("--label", "fruit", "-o", "few.csv"), "is there already"),
        (("--label", "fruit", "-o", "nowhere/few.csv"), "no such folder: nowhere; make it first"),
    ],
)
def test_what_cannot_be_done_says_why_and_writes_nothing(
    evolvent: Cli, few: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(few.parent)
    before = few.read_text()
    done = evolvent("augment", "few.csv", *options)
    assert done.code == 2
    assert said in done.err
    assert [path.name for path in few.parent.iterdir()] == ["few.csv"]
    assert few.read_text() == before


def test_numbers_and_truths_of_json_stay_what_they_are(evolvent: Cli, few: Path) -> None:
    path, out = few.with_name("few.jsonl"), few.with_name("more.jsonl")
    rows = [{"grams": i + 0.25, "ripe": i % 3 > 0, "kind": i // 10} for i in range(20)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert evolvent("augment", path, "--label", "kind", "--rows", 20, "-o", out).code == 0
    made = [json.loads(line) for line in out.read_text().splitlines()]
    assert {type(row["grams"]) for row in made} == {float}
    assert {row["ripe"] for row in made} <= {True, False}
    assert {(row["kind"], type(row["kind"])) for row in made} == {(0, int), (1, int)}


def test_an_empty_cell_is_named(evolvent: Cli, few: Path) -> None:
    few.write_text(few.read_text().replace("green", "", 1))
    done = evolvent("augment", few, "--label", "fruit")
    assert done.code == 2
    assert "row 16: 'colour' is empty; fill it in" in done.err


def test_a_folder_is_no_table(evolvent: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = evolvent("augment", ".", "--label", "fruit")
    assert (done.code, "no such file" in done.err) == (2, True)


def test_what_is_beyond_a_learner_s_numbers_is_a_word(evolvent: Cli, tmp_path: Path) -> None:
    path, out = tmp_path / "few.csv", tmp_path / "more.jsonl"
    path.write_text("a,b,kind\n" + "1e308,1,x\n-1e308,2,y\n" * 5)
    done = evolvent("augment", path, "--label", "kind", "--rows", 20, "-o", out)
    assert done.code == 0, done.err
    assert {json.loads(line)["a"] for line in out.read_text().splitlines()} <= {"1e308", "-1e308"}


def test_small_numbers_keep_their_digits(evolvent: Cli, tmp_path: Path) -> None:
    path, out = tmp_path / "few.jsonl", tmp_path / "more.jsonl"
    rows = [{"a": (1 + i) * 1.5e-9, "kind": i % 2} for i in range(20)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert evolvent("augment", path, "--label", "kind", "--rows", 20, "-o", out).code == 0
    made = [json.loads(line)["a"] for line in out.read_text().splitlines()]
    assert all(1.5e-9 <= a <= 3e-8 for a in made)
    assert len(set(made)) > 5


def test_so_many_labels_that_they_are_no_classes_are_refused(evolvent: Cli, tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    path.write_text("a,kind\n" + "".join(f"{i},k{i % 101}\n" for i in range(404)))
    done = evolvent("augment", path, "--label", "kind")
    assert (done.code, "two to 100 classes" in done.err) == (2, True)


def test_half_a_character_makes_a_row_unreadable(evolvent: Cli, few: Path) -> None:
    made, out = few.with_name("made.jsonl"), few.with_name("kept.csv")
    made.write_text('{"grams": 7, "spots": 1, "colour": "red", "fruit": "cherry", "why": "\\ud800"}\n')
    done = evolvent("augment", few, "--label", "fruit", "--made", made, "-o", out, "--json")
    assert done.code == 0, done.err
    assert "half a surrogate pair" in json.loads(done.out)["unreadable"][0]
    assert out.read_text() == "grams,spots,colour,fruit\n"


def test_days_and_exact_numbers_of_parquet_are_written_as_json(evolvent: Cli, tmp_path: Path) -> None:
    path, out = tmp_path / "few.parquet", tmp_path / "more.jsonl"
    days = [date(2024, 1, 1), date(2024, 2, 1)]
    pq.write_table(pa.table({"on": days * 5, "a": [Decimal("1.5"), Decimal("2.25")] * 5, "kind": ["x", "y"] * 5}), path)
    done = evolvent("augment", path, "--label", "kind", "--rows", 20, "-o", out)
    assert done.code == 0, done.err
    made = [json.loads(line) for line in out.read_text().splitlines()]
    assert {row["on"] for row in made} <= {"2024-01-01", "2024-02-01"}
    assert all(1.5 <= row["a"] <= 2.25 for row in made)
