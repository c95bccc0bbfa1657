"""A table of few rows gets more, and made rows that the real ones contradict are thrown out."""

import csv
import json
from pathlib import Path
from random import Random

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
        (("--label", "grams"), "name a column of two or more classes"),
        (("--label", "fruit", "--method", "copulas"), "did you mean 'copula'"),
        (("--label", "fruit", "--made", "nowhere.csv"), "no such file"),
        (("--label", "fruit", "-o", "few.csv"), "is there already"),
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
