import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from evolvent.memory.embedders.hashing import Hashing
from evolvent.memory.errors import LedgerError, RunError
from evolvent.memory.files import seal
from evolvent.memory.recall import Entry, Label, Recall
from evolvent.memory.stores.chroma import Chroma
from evolvent.memory.trace import Trace, recording

EMBEDDER = Hashing(size=32)
MANY = 2200  # Chroma writes the HNSW files of a kind every 1,000 records
KINDS = ("failure", "weakness")


@contextlib.contextmanager
def opened(folder: Path, embedder: Hashing = EMBEDDER) -> Generator[Recall]:
    with contextlib.closing(Recall.open(folder, store=Chroma(), embedder=embedder)) as memory:
        yield memory


def make_entry(number: int, text: str | None = None, **label: str | int | float | bool) -> Entry:
    words = f"what is {number} + {number * number % 971}, asked {number * 7919 % 1009} times"
    return Entry(f"e{number:05}", words if text is None else text, {"kind": KINDS[number % 2], **label})


def make_entries(first: int, count: int) -> list[Entry]:
    return [make_entry(number) for number in range(first, first + count)]


def rebuilds(trace: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(trace)) as database:
        rows = database.execute("select attributes from spans where name = 'memory.rebuild'").fetchall()
    return [json.loads(row[0])["reason"] for row in rows]


def reopen(folder: Path, trace: Path) -> Recall:
    with recording(Trace(trace)):
        return Recall.open(folder, store=Chroma(), embedder=EMBEDDER)


def assert_whole(memory: Recall, entries: list[Entry]) -> None:
    assert len(memory) == len(entries)
    for entry, found in zip(entries, memory.recall([entry.text for entry in entries], 1), strict=True):
        assert (found[0].id, found[0].text, found[0].label) == (entry.id, entry.text, entry.label)
        assert found[0].similarity == pytest.approx(1, abs=1e-5)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large") / "memory"
    with opened(folder) as memory:
        memory.remember("first", make_entries(0, MANY - 50))
        memory.remember("second", make_entries(MANY - 50, 50))
    return folder


def test_what_is_remembered_is_recalled_by_likeness_and_kind(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        memory.remember("round-1", make_entries(0, 30))
        everything, failures = (
            memory.recall(["what is 4 + 16"], 5)[0],
            memory.recall(["what is 4 + 16"], 5, kind="failure")[0],
        )
    assert len(everything) == len(failures) == 5
    assert {one.label["kind"] for one in failures} == {"failure"}
    assert [one.similarity for one in everything] == sorted((one.similarity for one in everything), reverse=True)


def test_an_empty_memory_recalls_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        assert memory.recall(["anything", ""], 3) == [[], []]
        assert memory.recall([], 3) == []
        memory.remember("nothing", [])
        assert len(memory) == 0


def test_the_same_key_twice_is_once(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        memory.remember("round-1", make_entries(0, 5))
        memory.remember("round-1", make_entries(5, 5))
    with opened(tmp_path) as memory:
        memory.remember("round-1", make_entries(5, 5))
        assert_whole(memory, make_entries(0, 5))
    assert [path.name for path in (tmp_path / "vectors").iterdir()] == ["round-1.parquet"]


def test_the_same_entry_under_two_keys_is_once(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        memory.remember("round-1", make_entries(0, 6))
        memory.remember("round-2", [*make_entries(3, 6), *make_entries(3, 6)])
        assert_whole(memory, make_entries(0, 9))
    with opened(tmp_path) as memory:
        assert_whole(memory, make_entries(0, 9))


def test_hundreds_of_equal_texts_do_not_hide_the_others(tmp_path: Path) -> None:
    equal = [make_entry(number, text="what is 2 + 2?") for number in range(1000, 1400)]
    with opened(tmp_path) as memory:
        memory.remember("round-1", [*equal, *make_entries(0, 20)])
        assert [one.id for one in memory.recall(["what is 2 + 2?"], 3)[0]] == ["e01000", "e01001", "e01002"]
        assert len(memory.recall(["what is 2 + 2?"], 300, kind="weakness")[0]) == 210
        assert [one[0].id for one in memory.recall([entry.text for entry in make_entries(0, 20)], 1)] == [
            entry.id for entry in make_entries(0, 20)
        ]


@pytest.mark.parametrize("text", ["", "\ud800 half a pair", "\x00", "日本語 👩‍👩‍👧", "x" * 100_000])
def test_odd_texts_survive_reopening(tmp_path: Path, text: str) -> None:
    with opened(tmp_path) as memory:
        memory.remember("odd", [make_entry(1, text=text, score=0.5, passed=False, tries=3)])
        before = memory.recall([text], 1)
    with opened(tmp_path) as memory:
        assert memory.recall([text], 1) == before
    assert before[0][0].label == {"kind": "weakness", "score": 0.5, "passed": False, "tries": 3}


@pytest.mark.parametrize("key", ["", "../up", ".hidden", "a/b", "x" * 300, "new\nline"])
def test_a_key_that_is_no_file_name_is_refused(tmp_path: Path, key: str) -> None:
    with opened(tmp_path) as memory, pytest.raises(ValueError, match="cannot name a part"):
        memory.remember(key, make_entries(0, 1))


@pytest.mark.parametrize(
    "label", [{}, {"kind": 3}, {"kind": "failure", "list": [1]}, {"kind": "failure", "none": None}]
)
def test_a_label_that_is_not_flat_is_refused(tmp_path: Path, label: Label) -> None:
    with opened(tmp_path) as memory, pytest.raises(ValueError, match="label"):
        memory.remember("round-1", [Entry("e1", "text", label)])


def test_an_id_that_changes_its_meaning_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        memory.remember("round-1", [make_entry(1)])
        with pytest.raises(ValueError, match="'e00001' is already remembered with another text or label"):
            memory.remember("round-2", [make_entry(1, text="other")])


def test_another_embedder_is_refused_and_both_are_named(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        memory.remember("round-1", make_entries(0, 3))
    with pytest.raises(RunError, match=r"'hashing' \(size 32,.*the scenario has 'hashing' \(size 64,"):
        Recall.open(tmp_path, store=Chroma(), embedder=Hashing(size=64))
    with pytest.raises(RunError, match=r"shortest 2.*shortest 3"):
        Recall.open(tmp_path, store=Chroma(), embedder=Hashing(size=32, shortest=3))


@pytest.mark.parametrize("content", [None, b"", b"{}", b"[]", b"\xff"])
def test_a_memory_without_its_embedder_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    with opened(tmp_path) as memory:
        memory.remember("round-1", make_entries(0, 3))
    (tmp_path / "embedder.json").unlink()
    if content is not None:
        (tmp_path / "embedder.json").write_bytes(content)
    with pytest.raises(LedgerError, match=r"embedder\.json: .*restore it from a copy"):
        Recall.open(tmp_path, store=Chroma(), embedder=EMBEDDER)


def cut(path: Path, share: float = 0.5) -> None:
    os.truncate(path, int(path.stat().st_size * share))


def flip(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 16
    path.write_bytes(content)


SPOILED: dict[str, Callable[[Path], None]] = {
    "cut": cut,
    "emptied": lambda path: cut(path, 0),
    "bit flipped": lambda path: flip(path, 2000),
}


@pytest.mark.parametrize("damage", SPOILED.values(), ids=SPOILED)
def test_a_damaged_part_is_named_and_nothing_is_changed(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    with opened(tmp_path) as memory:
        memory.remember("round-1", make_entries(0, 100))
    damage(tmp_path / "vectors" / "round-1.parquet")
    with pytest.raises(LedgerError, match=r"round-1\.parquet: this part of the memory cannot be read"):
        Recall.open(tmp_path, store=Chroma(), embedder=EMBEDDER)
    assert (tmp_path / "index-1").is_dir()


def segment(folder: Path) -> Path:
    return next((folder / "index-1").glob("*/data_level0.bin")).parent


DAMAGE: dict[str, Callable[[Path], object]] = {
    "metadata deleted": lambda folder: (segment(folder) / "index_metadata.pickle").unlink(),
    "metadata emptied": lambda folder: cut(segment(folder) / "index_metadata.pickle", 0),
    "metadata halved": lambda folder: cut(segment(folder) / "index_metadata.pickle"),
    "segment deleted": lambda folder: shutil.rmtree(segment(folder)),
    "level 0 halved": lambda folder: cut(segment(folder) / "data_level0.bin"),
    "level 0 bit flipped": lambda folder: flip(segment(folder) / "data_level0.bin", 5000),
    "header emptied": lambda folder: cut(segment(folder) / "header.bin", 0),
    "sqlite emptied": lambda folder: cut(folder / "index-1" / "chroma.sqlite3", 0),
    "sqlite halved": lambda folder: cut(folder / "index-1" / "chroma.sqlite3"),
    "index deleted": lambda folder: shutil.rmtree(folder / "index-1"),
    "pointer deleted": lambda folder: (folder / "current").unlink(),
    "pointer misled": lambda folder: (folder / "current").write_text("../../etc"),
}


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_index_is_made_again(large: Path, tmp_path: Path, damage: Callable[[Path], object]) -> None:
    folder, entries = tmp_path / "memory", make_entries(0, MANY)
    shutil.copytree(large, folder)
    damage(folder)
    with contextlib.closing(reopen(folder, tmp_path / "trace.sqlite")) as memory:
        assert_whole(memory, entries)
        memory.remember("third", make_entries(MANY, 5))
    assert len(rebuilds(tmp_path / "trace.sqlite")) == 1
    assert [path.name for path in folder.glob("index-*")] == ["index-2"]
    with contextlib.closing(reopen(folder, tmp_path / "again.sqlite")) as memory:
        assert_whole(memory, make_entries(0, MANY + 5))
    assert rebuilds(tmp_path / "again.sqlite") == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["metadata deleted", "metadata halved", "segment deleted", "sqlite emptied", "sqlite halved"]
)
def test_an_index_sealed_with_its_damage_is_made_again(large: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(large, tmp_path / "memory")
    DAMAGE[name](tmp_path / "memory")
    seal(tmp_path / "memory" / "index-1")
    with contextlib.closing(reopen(tmp_path / "memory", tmp_path / "trace.sqlite")) as memory:
        assert_whole(memory, make_entries(0, MANY))
    assert rebuilds(tmp_path / "trace.sqlite") != ["it was not closed, or was changed since"]
    assert [path.name for path in (tmp_path / "memory").glob("index-*")] == ["index-2"]


def test_an_index_that_was_not_closed_is_made_again(tmp_path: Path) -> None:
    memory = Recall.open(tmp_path / "memory", store=Chroma(), embedder=EMBEDDER)
    memory.remember("round-1", make_entries(0, 10))
    with contextlib.closing(reopen(tmp_path / "memory", tmp_path / "trace.sqlite")) as again:
        assert_whole(again, make_entries(0, 10))
    assert rebuilds(tmp_path / "trace.sqlite") == ["it was not closed, or was changed since"]


def test_a_whole_index_is_not_made_again(large: Path, tmp_path: Path) -> None:
    shutil.copytree(large, tmp_path / "moved")
    with contextlib.closing(reopen(tmp_path / "moved", tmp_path / "trace.sqlite")) as memory:
        assert_whole(memory, make_entries(0, MANY))
    assert rebuilds(tmp_path / "trace.sqlite") == []


def test_a_part_that_never_reached_the_index_is_added(large: Path, tmp_path: Path) -> None:
    folder = tmp_path / "memory"
    with opened(folder) as memory:
        memory.remember("zero", make_entries(MANY, 10))
    shutil.copy(large / "vectors" / "second.parquet", folder / "vectors")
    with contextlib.closing(reopen(folder, tmp_path / "trace.sqlite")) as memory:
        memory.remember("second", make_entries(0, 1))
        assert_whole(memory, make_entries(MANY - 50, 60))
    assert rebuilds(tmp_path / "trace.sqlite") == ["it holds 10 of 60 vectors"]


def test_what_is_left_of_a_killed_rebuild_is_swept_away(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        memory.remember("round-1", make_entries(0, 10))
    shutil.copytree(tmp_path / "index-1", tmp_path / "index-2")
    (tmp_path / "index-notes").mkdir()
    with opened(tmp_path) as memory:
        assert_whole(memory, make_entries(0, 10))
    assert sorted(path.name for path in tmp_path.glob("index-*")) == ["index-1", "index-notes"]


KILLED = """
import sys
from pathlib import Path
from evolvent.memory.embedders.hashing import Hashing
from evolvent.memory.files import seal
from evolvent.memory.recall import Entry, Label, Recall
from evolvent.memory.stores.chroma import Chroma
memory = Recall.open(Path(sys.argv[1]), store=Chroma(), embedder=Hashing(size=32))
for number in range(3):
    entries = [Entry(f"{number}-{i}", f"{number} times {i}", {"kind": "failure"}) for i in range(9)]
    memory.remember(f"round-{number}", entries)
"""


@pytest.mark.slow
@pytest.mark.parametrize("point", ["index.before_upsert", "index.after_upsert"])
@pytest.mark.parametrize("time", [1, 2])
def test_a_kill_between_part_and_index_loses_nothing(tmp_path: Path, point: str, time: int) -> None:
    environment = {**os.environ, "EVOLVENT_CRASH_AT": f"{point}:{time}", "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], env=environment, check=False)
    assert child.returncode == -signal.SIGKILL
    with opened(tmp_path) as memory:
        texts = [f"{number} times {i}" for number in range(time) for i in range(9)]
        assert [found[0].text for found in memory.recall(texts, 1)] == texts
        assert len(memory) == 9 * time
