import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from evolvent.agents.remembering import failure_entries
from evolvent.memory import files
from evolvent.memory.embedders.hashing import Hashing
from evolvent.memory.recall import Entry, Recall
from evolvent.memory.records import Attempt, Record, Sample, Weakness
from evolvent.memory.stores.chroma import Chroma

from ..killing import MINI, Kill, newest
from ..killing import session as child
from ..memory.runs import make_attempt, make_run, make_sample, story
from . import calling

Say = Callable[..., str]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Say:
    def call(*arguments: str | Path) -> str:
        code = calling.call(monkeypatch, *arguments, "--runs-dir", tmp_path)
        said = capsys.readouterr()
        return said.out + said.err if code == 0 else f"{code}: {said.err}"

    return call


def remember(run: Path, key: str, entries: Sequence[Entry]) -> None:
    recall = Recall.open(run / "memory", store=Chroma(), embedder=Hashing())
    recall.remember(key, entries)
    recall.close()


def make_weakness_entry(id: str, text: str, round: int) -> Entry:
    return Entry(f"{id}@{round}", text, {"kind": "weakness", "weakness": id, "skill": "carry", "round": round})


PETS = make_attempt("where does the cat sleep", answer="on a mat")
SUMS = make_attempt("seventeen plus twenty-five", answer="forty")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run that remembers two failures and a weakness in two states, and has a sample about a dog."""
    records: list[Record] = [PETS, SUMS, *story(), make_sample("where does the dog sleep", answer="in its basket")]
    run = make_run(tmp_path, records)
    remember(run, "round-001", [*failure_entries([PETS, SUMS]), make_weakness_entry("0" * 16, "carry: sleeps", 1)])
    remember(run, "round-002", [make_weakness_entry("0" * 16, "carry: sleeps soundly", 2)])
    return run


def found(said: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def everything(run: Path) -> dict[str, bytes]:
    """All that matters of a run; SQLite's shared memory is made and dropped at will."""
    return {str(p): p.read_bytes() for p in run.rglob("*") if p.is_file() and not p.name.endswith(("-shm", "-wal"))}


def test_failures_and_samples_are_found_by_meaning_nearest_first(say: Say, run: Path) -> None:
    nearest = found(say("memory", "search", "where does a cat sleep", "--json", "-n", "3"))
    assert [one["kind"] for one in nearest][:2] == ["attempt", "sample"]
    assert nearest[0]["id"] == PETS.id
    similarities = [float(str(one["similarity"])) for one in nearest]
    assert similarities == sorted(similarities, reverse=True)
    assert 0.5 < similarities[0] <= 1


@pytest.mark.parametrize("kind", ["sample", "attempt", "weakness"])
def test_one_kind_can_be_asked_for_and_explain_takes_every_id(say: Say, run: Path, kind: str) -> None:
    records: dict[str, type[Record]] = {"sample": Sample, "attempt": Attempt, "weakness": Weakness}
    nearest = found(say("memory", "search", "sleep", "--kind", kind, "--json"))
    assert {one["kind"] for one in nearest} == {kind}
    known = {r.id for r in [PETS, SUMS, *story()] if isinstance(r, records[kind])}
    for one in nearest:
        if one["id"] in known:
            assert f"{kind} {one['id']}" in say("explain", str(one["id"]))


def test_a_weakness_counts_once_as_it_stands_now(say: Say, run: Path) -> None:
    (one,) = found(say("memory", "search", "sleeps", "--kind", "weakness", "--json"))
    assert (one["round"], one["text"]) == (2, "carry: sleeps soundly")


def test_what_an_earlier_session_left_names_it(say: Say, run: Path) -> None:
    remember(run, "earlier", [Entry("f" * 16 + ":" + "a" * 16, "add: seven", {"kind": "failure", "skill": "add"})])
    one = found(say("memory", "search", "add: seven", "--kind", "attempt", "--json"))[0]
    assert (one["id"], one["origin"]) == ("a" * 16, "f" * 16)


def test_searching_writes_nothing(say: Say, run: Path) -> None:
    before = everything(run)
    say("memory", "search", "sleep")
    assert everything(run) == before


@pytest.mark.slow
def test_a_run_can_be_searched_while_another_process_writes_to_its_memory(say: Say, run: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from evolvent.memory.recall import Recall; from evolvent.memory.stores.chroma import Chroma\n"
        "from evolvent.memory.embedders.hashing import Hashing; from evolvent.memory.lock import Lock\n"
        f"run = Path({str(run)!r})\n"
        "with Lock(run):\n"
        "    recall = Recall.open(run / 'memory', store=Chroma(), embedder=Hashing())\n"
        "    print(flush=True); sys.stdin.read(); recall.close()\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        writer.stdout.readline()
        said = say("memory", "search", "where does a cat sleep", "-n", "1")
        writer.communicate()
    assert PETS.id in said
    assert writer.returncode == 0


def test_a_memory_of_another_embedder_is_refused(say: Say, run: Path) -> None:
    path = run / "memory" / "embedder.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "digest": "0" * 16}))
    assert "another embedder" in say("memory", "search", "sleep")


def test_a_part_that_is_damaged_is_named(say: Say, run: Path) -> None:
    (run / "memory/vectors/round-001.parquet").write_bytes(b"PAR1")
    said = say("memory", "search", "sleep")
    assert said.startswith("2: ")
    assert "round-001.parquet: this part of the memory cannot be read" in said


def test_a_run_that_remembers_nothing_says_so_and_finds_its_samples(say: Say, tmp_path: Path) -> None:
    make_run(tmp_path, story())
    said = say("memory", "search", "17+25")
    assert "remembers nothing yet" in said
    assert said.count("sample") == 2


def test_what_a_model_wrote_cannot_move_the_cursor(say: Say, tmp_path: Path) -> None:
    make_run(tmp_path, story(prompt="\x1b[31mred\u202e"))
    said = say("memory", "search", "red")
    assert not {"\x1b", "\u202e"} & set(said)


def test_explain_says_what_is_known_of_a_weakness_and_of_an_attempt(say: Say, tmp_path: Path) -> None:
    records = story()
    make_run(tmp_path, records)
    failure, weakness = records[0], records[1]
    said = say("explain", weakness.id)
    for part in ("fails where a digit carries", f"attempt {failure.id}", "round 1: open, 1 of 10 right", "sample "):
        assert part in said
    said = say("explain", failure.id)
    for part in ("17+25", "expected", f"weakness {weakness.id}"):
        assert part in said
    assert json.loads(say("explain", failure.id, "--json"))["weaknesses"][0]["id"] == weakness.id
    assert json.loads(say("explain", weakness.id, "--json"))["failures"][0]["id"] == failure.id


@pytest.mark.slow
def test_the_memory_of_a_killed_session_can_be_searched_and_gone_on_with(say: Say, tmp_path: Path) -> None:
    child("run", MINI, folder=tmp_path, kill=Kill("index.after_upsert"))
    run = newest(tmp_path, [])
    assert run
    parts = {p.name: files.file_digest(p) for p in (run / "memory/vectors").iterdir()}
    said = say("memory", "search", "digits carry", "--run", run, "--json", "--kind", "attempt")
    nearest = found(said)
    assert nearest, said
    assert "attempt" in say("explain", str(nearest[0]["id"]), "--run", run)
    assert {p.name: files.file_digest(p) for p in (run / "memory/vectors").iterdir()} == parts
    assert child("resume", run, folder=tmp_path).code == 0
