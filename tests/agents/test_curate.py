"""A data set of somebody's own is curated without a session."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evolvent.agents.refining.write import replace

from ..endpoint import Endpoint, asked, serving
from .calling import Cli

Json = dict[str, Any]
WORDS = (
    "river",
    "stone",
    "window",
    "garden",
    "market",
    "bridge",
    "candle",
    "forest",
    "letter",
    "harbour",
    "engine",
    "violin",
)


def make_rows(count: int = 60) -> list[Json]:
    """Questions that share no run of words, with answers of different lengths."""
    return [
        {
            "prompt": " ".join(WORDS[(i * k) % 12] for k in (1, 5, 7)) + f" number {i * 7919}",
            "completion": "so " * (i % 9) + str(i),
            "topic": "odd" if i % 2 else "even",
        }
        for i in range(count)
    ]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in make_rows()))
    return path


def read(path: Path) -> list[Json]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_longest_answers_are_kept_as_they_came_in_and_the_others_say_why(evolvent: Cli, data: Path) -> None:
    done = evolvent("curate", data, "--select", "length", "--budget", 10, "--explain", "--json", "--set", "near=1")
    assert done.code == 0, done.err
    folder = data.with_name("data-curated")
    kept, rejected = read(folder / "kept.jsonl"), read(folder / "rejected.jsonl")
    assert len(kept) == 10
    assert all(row in make_rows() for row in kept)
    assert {row["_reason"] for row in rejected} == {"selection: top chose others"}
    assert max(row["_score"] for row in rejected) <= min(len(row["completion"]) for row in kept)
    assert sorted(row["_line"] for row in rejected) == sorted(
        {*range(1, 61)} - {make_rows().index(r) + 1 for r in kept}
    )
    assert "What was lost" in (folder / "report.html").read_text()
    facts = json.loads(done.out)
    assert (facts["rows"], facts["kept"], facts["lost"]) == (60, 10, {"selection": 50})


def test_equal_rows_empty_rows_and_rows_of_an_exam_go_by_themselves(evolvent: Cli, data: Path, tmp_path: Path) -> None:
    exam = tmp_path / "exam.jsonl"
    exam.write_text(json.dumps({"question": "a question that is in the exam and nowhere else", "answer": "1"}) + "\n")
    more = [
        make_rows()[0],
        {"prompt": " ", "completion": "x"},
        {"prompt": "Hear: a question that is in the exam and nowhere else!", "completion": "2"},
    ]
    with data.open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in more)
    done = evolvent("curate", data, "--against", exam, "--json", "--explain", "--set", "near=1")
    assert done.code == 0, done.err
    assert json.loads(done.out)["lost"] == {"'prompt' is empty": 1, "duplicate": 1, "leak": 1}
    reasons = {row["_line"]: row["_reason"] for row in read(tmp_path / "data-curated/rejected.jsonl")}
    assert reasons[61] == "duplicate: the same as line 1"


def test_parquet_comes_back_with_its_own_columns(evolvent: Cli, tmp_path: Path) -> None:
    table = pa.table(
        {**{k: [r[k] for r in make_rows()] for k in make_rows()[0]}, "year": pa.array([2020] * 60, pa.int16())}
    )
    pq.write_table(table, tmp_path / "data.parquet")
    assert evolvent("curate", tmp_path / "data.parquet", "--select", "random", "--budget", "10%", "--explain").code == 0
    kept = pq.read_table(tmp_path / "data-curated/kept.parquet")
    assert kept.schema == table.schema
    assert kept.num_rows == 6
    assert pq.read_table(tmp_path / "data-curated/rejected.parquet").num_rows == 54


def test_csv_comes_back_as_json_lines(evolvent: Cli, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text('prompt,answer,note\r\n"one, two",3,"a ""note"""\r\nfour,5,\r\n')
    assert evolvent("curate", path).code == 0
    kept = read(tmp_path / "data-curated" / "kept.jsonl")
    assert kept[0] == {"prompt": "one, two", "answer": "3", "note": 'a "note"'}


def test_the_same_seed_keeps_the_same_rows(evolvent: Cli, data: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        options = ["--select", "random", "--budget", 9, "--seed", 5, "--out", tmp_path / name]
        assert evolvent("curate", data, *options).code == 0
    assert read(tmp_path / "one/kept.jsonl") == read(tmp_path / "two/kept.jsonl")


def test_a_folder_with_something_else_is_left_alone(evolvent: Cli, data: Path, tmp_path: Path) -> None:
    other = tmp_path / "data-curated"
    other.mkdir()
    (other / "mine.txt").write_text("mine")
    done = evolvent("curate", data, "--select", "random", "--budget", 5)
    assert (done.code, list(other.iterdir())) == (2, [other / "mine.txt"])
    assert "choose another folder with --out" in done.err


@pytest.mark.parametrize("name", ["NOTES.md", "nested", "kept.txt"])
def test_an_earlier_outcome_is_replaced_only_while_nothing_else_lies_in_it(
    evolvent: Cli, data: Path, name: str
) -> None:
    folder = data.with_name("data-curated")
    assert evolvent("curate", data, "--explain").code == 0
    assert evolvent("curate", data, "--select", "random", "--budget", 5).code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["curation.json", "kept.jsonl"]
    assert sorted(path.name for path in data.parent.iterdir()) == ["data-curated", "data.jsonl"]
    (folder / name).mkdir()
    done = evolvent("curate", data, "--select", "random", "--budget", 6)
    assert done.code == 2
    assert f"{folder}: holds something else ({name}); choose another folder with --out" in done.err
    assert len(read(folder / "kept.jsonl")) == 5


@pytest.mark.parametrize("option", ["", "--against", "--targets", "--recipe"])
def test_what_is_read_is_never_replaced_by_what_is_written(
    evolvent: Cli, data: Path, tmp_path: Path, option: str
) -> None:
    assert evolvent("curate", data, "--select", "random", "--budget", 9).code == 0
    inside = tmp_path / "data-curated" / "kept.jsonl"
    before = inside.read_bytes()
    (tmp_path / "link").symlink_to(tmp_path / "data-curated")
    read_too = [data, option, inside] if option else [inside]
    done = evolvent("curate", *read_too, "--out", tmp_path / "link")
    assert done.code == 2
    assert f"{option or 'data'} {inside} lies in it and would be replaced; choose another folder with --out" in done.err
    assert inside.read_bytes() == before


def test_the_folder_somebody_is_in_is_left_alone(
    evolvent: Cli, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert evolvent("curate", data, "--out", tmp_path / "here").code == 0
    monkeypatch.chdir(tmp_path / "here")
    done = evolvent("curate", data, "--out", ".")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "choose another folder with --out" in done.err
    assert len(read(tmp_path / "here/kept.jsonl")) == 60


def test_an_earlier_outcome_comes_back_where_the_new_one_cannot_take_its_place(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/curation.json").write_text("{}")
    with pytest.raises(FileNotFoundError):
        replace(tmp_path / "nowhere", tmp_path / "out")
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["out", "out/curation.json"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--budget", "5"], "name a selector with --select"),
        (["--budget", "five", "--select", "random"], "write how many rows to keep, such as 5000"),
        (["--select", "tpo", "--budget", "5"], "no selector called 'tpo'"),
        (["--select", "top", "--budget", "5"], "goes by scores; name a scorer"),
        (["--student", "nowhere", "--select", "random", "--budget", "5"], "no student is there"),
        (["--set", "nearr=1"], "did you mean 'near'"),
        (["--prompt", "question", "--answer", "completion"], "no column 'question'; it has: prompt, completion, topic"),
        (["--skill", "subject"], "no row has a column 'subject'"),
        (["--recipe", "nowhere.toml"], "no such"),
    ],
)
def test_what_cannot_be_is_one_message_and_nothing_is_written(
    evolvent: Cli, data: Path, options: list[str], said: str
) -> None:
    done = evolvent("curate", data, *options)
    assert done.code == 2
    assert said in done.err
    assert len(done.err.splitlines()) == 1
    assert not data.with_name("data-curated").exists()


@pytest.mark.parametrize("text", ["", "not json\n", "[1]\n", '{"a": "b"}\n'])
def test_a_file_that_is_no_data_set_is_one_message(evolvent: Cli, data: Path, text: str) -> None:
    data.write_text(text)
    done = evolvent("curate", data)
    assert done.code == 2
    assert str(data) in done.err
    assert len(done.err.splitlines()) == 1


def test_a_recipe_says_the_same_as_options(evolvent: Cli, data: Path, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text('near = 1.0\nscorer = "length"\nselector = "top"\n')
    for name, options in (
        ("file", ["--recipe", tmp_path / "recipe.toml"]),
        ("options", ["--score", "length", "--select", "top", "--set", "near=1"]),
    ):
        assert evolvent("curate", data, *options, "--budget", 7, "--out", tmp_path / name).code == 0
    assert read(tmp_path / "file/kept.jsonl") == read(tmp_path / "options/kept.jsonl")


class Shortening(Endpoint):
    """A teacher that says everything in one word, and has no use for one row."""

    def _say(self, body: dict[str, Any]) -> str:
        if "schema" not in body.get("response_format", {}).get("json_schema", {}) or "<data>" not in asked(body):
            return super()._say(body)
        shown = json.loads(asked(body).partition("<data>\n")[2].partition("\n</data>")[0])
        usable = not shown["question"].endswith(" 0")
        return json.dumps({"answer": "short", "question": shown["question"], "usable": usable})


def asks(teacher: Endpoint) -> list[str]:
    """Options that name a teacher."""
    model = ("name=openai", f"base_url={teacher.url}", "model=tester")
    return [part for one in model for part in ("--set", f"models.teacher.{one}")]


def test_a_teacher_of_a_recipe_writes_rows_anew(evolvent: Cli, data: Path) -> None:
    with serving(Shortening()) as teacher:
        done = evolvent("curate", data, "--enhance", "rewrite", "--explain", "--set", "near=1", *asks(teacher))
    assert done.code == 0, done.err
    folder = data.with_name("data-curated")
    assert {row["completion"] for row in read(folder / "kept.jsonl")} == {"short"}
    assert len(read(folder / "kept.jsonl")) == 59
    (lost,) = read(folder / "rejected.jsonl")
    assert lost["_reason"] == "rewrite: the teacher can make nothing of it"


@pytest.mark.parametrize("column", ["completion", "prompt"])
def test_numbers_of_a_parquet_file_become_texts_where_a_row_was_written_anew(
    evolvent: Cli, tmp_path: Path, column: str
) -> None:
    columns = {k: [r[k] for r in make_rows()] for k in ("prompt", "completion")} | {"year": [2020] * 60}
    table = pa.table({**columns, column: list(range(60))}).replace_schema_metadata({"huggingface": "{}"})
    pq.write_table(table, tmp_path / "data.parquet")
    assert evolvent("curate", tmp_path / "data.parquet", "--out", tmp_path / "same").code == 0
    assert pq.read_table(tmp_path / "same/kept.parquet").schema.equals(table.schema, check_metadata=True)
    with serving(Shortening()) as teacher:
        done = evolvent("curate", tmp_path / "data.parquet", "--enhance", "rewrite", "--explain", *asks(teacher))
    assert done.code == 0, done.err
    kept = pq.read_table(tmp_path / "data-curated/kept.parquet")
    assert set(kept["completion"].to_pylist()) == {"short"}
    types = {**dict(zip(table.schema.names, table.schema.types, strict=True)), "completion": pa.string()}
    assert dict(zip(kept.schema.names, kept.schema.types, strict=True)) == types


def test_answers_are_kept_beside_a_folder_whose_parents_are_not_there_yet(
    evolvent: Cli, data: Path, tmp_path: Path
) -> None:
    with serving(Shortening()) as teacher:
        options = ["--enhance", "rewrite", "--out", tmp_path / "new/deep/x", *asks(teacher)]
        done = evolvent("curate", data, *options)
    assert done.code == 0, done.err
    assert sorted(path.name for path in (tmp_path / "new/deep").iterdir()) == ["x", "x.answers.sqlite"]


def test_the_report_says_how_to_do_it_again_without_what_nobody_may_read(
    evolvent: Cli, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "correct-horse")
    with serving(Shortening()) as teacher:
        address = "https://me:open-sesame@example.org/v1"
        revision = f'models.teacher.revision="{address}?sig=battery-staple correct-horse"'
        options = [*asks(teacher), "--set", revision, "--set", "near=1"]
        assert evolvent("curate", data, "--explain", *options).code == 0
    report = (data.with_name("data-curated") / "report.html").read_text()
    assert "--set near=1" in report
    assert "https://***@example.org/v1?*** ***" in report
    assert not [word for word in ("open-sesame", "battery-staple", "correct-horse") if word in report]


def test_an_odd_first_row_is_lost_alone(evolvent: Cli, data: Path) -> None:
    data.write_text('{"version": 2}\n' + data.read_text())
    for options in ([], ["--prompt", "prompt", "--answer", "completion"]):
        done = evolvent("curate", data, "--set", "near=1", "--json", *options)
        assert done.code == 0, done.err
        assert json.loads(done.out)["lost"] == {"'prompt' is NoneType, not a text": 1}
