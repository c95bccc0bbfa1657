import os
import subprocess
import sys
from pathlib import Path

import pytest

import evolvent
from evolvent.memory import files
from evolvent.memory.errors import RunError
from evolvent.memory.reading import Run, newest, shelf

from .runs import make_run, story


def forbidden(*_: object) -> bool:
    return False


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path, story())


def test_a_run_gives_its_samples_with_their_fates(run: Path) -> None:
    with evolvent.Run.load(run) as opened:
        rows = opened.samples().to_pylist()
    assert [(r["prompt"], r["kept"], r["skill"]) for r in rows] == [
        ("17+25 kept", True, "carry"),
        ("17+25 refused", False, "carry"),
    ]


def test_a_run_gives_its_attempts_rounds_and_spans(run: Path) -> None:
    with Run.load(run) as opened:
        assert opened.attempts().column("expected").to_pylist() == ["42"]
        assert opened.rounds().column("promoted").to_pylist() == [True]
        assert opened.spans().column("name").to_pylist() == ["probe", "session"]


def test_a_round_without_rows_gives_an_empty_table_with_the_same_columns(run: Path) -> None:
    with Run.load(run) as opened:
        assert opened.samples(round=9).num_rows == 0
        assert opened.samples(round=9).schema == opened.samples().schema


def test_tables_are_data_frames_when_asked(run: Path) -> None:
    with Run.load(run) as opened:
        assert list(opened.samples().to_pandas()["kept"]) == [True, False]


def test_a_session_whose_process_is_gone_was_interrupted(tmp_path: Path) -> None:
    assert Run.load(make_run(tmp_path, [], status="running")).status == "interrupted"


@pytest.mark.parametrize("name", ["session.json", "ledger.sqlite", "trace.sqlite"])
def test_a_link_in_place_of_a_file_is_not_followed(run: Path, name: str) -> None:
    (run / name).rename(run / "elsewhere")
    (run / name).symlink_to(run / "elsewhere")
    with pytest.raises(RunError, match="is a link"):
        Run.load(run)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"session": 3}', "[" * 100_000])
def test_a_damaged_session_file_is_an_error_that_names_it(run: Path, text: str) -> None:
    (run / "session.json").write_text(text)
    with pytest.raises(RunError, match=r"session\.json: cannot be read"):
        Run.load(run)


def test_the_newest_run_is_found_and_links_are_not_runs(tmp_path: Path) -> None:
    first, second = (make_run(tmp_path, [], name=name) for name in ("2026-01_a", "2026-02_b"))
    (tmp_path / "2027_link").symlink_to(first)
    assert shelf(tmp_path) == [second, first]
    assert newest(tmp_path) == second


def test_without_runs_the_way_to_begin_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="evolvent run"):
        newest(tmp_path)


def test_reading_leaves_the_files_as_they_are(run: Path) -> None:
    before = {p.name: p.read_bytes() for p in run.iterdir()}
    with Run.load(run) as opened:
        opened.samples()
        opened.spans()
    assert {p.name: p.read_bytes() for p in run.iterdir() if not p.name.endswith(("-shm", "-wal"))} == before


def test_a_run_is_read_where_nothing_may_be_written(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ledger.sqlite", "trace.sqlite"):
        for log in run.glob(f"{name}-*"):
            log.unlink()
        monkeypatch.setattr(os, "access", forbidden)  # root may write anywhere, so it has to be told
        assert "immutable" in files.database(run / name)
    with Run.load(run) as opened:
        assert (opened.samples().num_rows, opened.spans().num_rows) == (2, 2)
    assert list(run.glob("*-wal")) == []


def test_a_run_with_a_log_is_never_taken_for_one_that_does_not_change(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", forbidden)
    (run / "ledger.sqlite-wal").touch()
    assert "immutable" not in files.database(run / "ledger.sqlite")
    assert "immutable" not in files.database(run / "trace.sqlite", "rw")


def test_reading_a_run_loads_no_model_graph_or_vector_store(run: Path) -> None:
    script = (
        "import sys, evolvent\n"
        f"run = evolvent.Run.load({str(run)!r})\n"
        "run.samples(), run.attempts(), run.rounds(), run.spans()\n"
        "print([n for n in ('torch', 'langgraph', 'chromadb', 'transformers') if n in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
