import contextlib
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

from evolvent.memory import parts
from evolvent.memory.embedder import Vectors
from evolvent.memory.store import Index, Store
from evolvent.memory.stores.chroma import EXACT, Chroma

PACKAGE = "evolvent.memory.stores"
SIZE = 8


@pytest.fixture(params=parts.known(PACKAGE))
def store(request: pytest.FixtureRequest) -> Store:
    return parts.load(parts.PartSpec(name=request.param), base=Store, package=PACKAGE, where="test")


@contextlib.contextmanager
def opened(store: Store, folder: Path) -> Generator[Index]:
    with contextlib.closing(store.open(folder, SIZE)) as index:
        yield index


def make_vectors(count: int, seed: int = 0) -> Vectors:
    rows_SD = np.random.default_rng(seed).standard_normal((count, SIZE)).astype(np.float32)
    return rows_SD / np.linalg.norm(rows_SD, axis=1, keepdims=True)


def fill(index: Index, count: int) -> tuple[list[str], Vectors]:
    ids, vectors_SD = [f"e{number}" for number in range(count)], make_vectors(count)
    index.add(ids, vectors_SD, ["even" if number % 2 == 0 else "odd" for number in range(count)])
    return ids, vectors_SD


def test_a_new_index_is_empty_and_finds_nothing(store: Store, tmp_path: Path) -> None:
    with opened(store, tmp_path / "index") as index:
        assert index.count() == 0
        assert index.search(make_vectors(2), 3) == [[], []]
        assert index.healthy([], make_vectors(0)) is None


def test_search_gives_the_nearest_first_with_its_cosine(store: Store, tmp_path: Path) -> None:
    with opened(store, tmp_path / "index") as index:
        _, vectors_SD = fill(index, 50)
        hits = index.search(vectors_SD[7:8], 50)[0]
    cosines = sorted((vectors_SD @ vectors_SD[7]).tolist(), reverse=True)
    assert hits[0].id == "e7"
    assert [hit.similarity for hit in hits] == pytest.approx(cosines, abs=1e-5)


def test_search_obeys_k_and_kind(store: Store, tmp_path: Path) -> None:
    with opened(store, tmp_path / "index") as index:
        _, vectors_SD = fill(index, 40)
        odd = index.search(vectors_SD[:3], 100, kind="odd")
        assert [len(hits) for hits in odd] == [20] * 3
        assert {int(hit.id[1:]) % 2 for hits in odd for hit in hits} == {1}
        assert [len(hits) for hits in index.search(vectors_SD, 4)] == [4] * 40
        assert index.search(vectors_SD[:1], 4, kind="neither") == [[]]
        assert index.search(vectors_SD[:0], 4) == []


def test_many_queries_are_one_call(store: Store, tmp_path: Path) -> None:
    with opened(store, tmp_path / "index") as index:
        ids, vectors_SD = fill(index, 1000)
        # Chroma looks up labels by one SQL variable each, of which SQLite takes 32,766
        hits_Q = index.search(vectors_SD[:400], 100)
    assert [len(hits) for hits in hits_Q] == [100] * 400
    assert [hits[0].id for hits in hits_Q] == ids[:400]


def test_adding_an_id_again_replaces_it(store: Store, tmp_path: Path) -> None:
    with opened(store, tmp_path / "index") as index:
        fill(index, 5)
        other = make_vectors(1, seed=9)
        index.add(["e2"], other, ["even"])
        assert index.count() == 5
        best = index.search(other, 1)[0][0]
    assert best == ("e2", pytest.approx(1, abs=1e-5))


@pytest.mark.slow
def test_more_than_one_batch_is_kept_and_found_after_reopening(store: Store, tmp_path: Path) -> None:
    with opened(store, tmp_path / "index") as index:
        ids, vectors_SD = fill(index, 6000)
    with opened(store, tmp_path / "index") as index:
        assert index.count() == 6000
        assert index.healthy(ids[::100], vectors_SD[::100]) is None


def test_health_notices_what_is_missing_or_changed(store: Store, tmp_path: Path) -> None:
    with opened(store, tmp_path / "index") as index:
        ids, vectors_SD = fill(index, 20)
        assert index.healthy(ids, vectors_SD) is None
        assert index.healthy([*ids, "e20"], make_vectors(21)) == "entry 'e20' is missing"
        assert index.healthy(ids, vectors_SD[::-1]) == "entry 'e0' has another vector"


def test_health_bears_entries_in_the_same_place(store: Store, tmp_path: Path) -> None:
    with opened(store, tmp_path / "index") as index:
        same_SD = np.repeat(make_vectors(1), 10, axis=0)
        ids = [f"e{number}" for number in range(10)]
        index.add(ids, same_SD, ["twin"] * 10)
        assert index.healthy(ids, same_SD) is None


def test_a_kind_may_be_any_text(store: Store, tmp_path: Path) -> None:
    kinds = ["", "a b", "日本語", "x" * 1000, "a/b", "A B"]
    with opened(store, tmp_path / "index") as index:
        index.add([f"id of {kind}" for kind in kinds], make_vectors(6), kinds)
    with opened(store, tmp_path / "index") as index:
        assert index.count() == 6
        found = [index.search(make_vectors(1), 3, kind=kind)[0] for kind in kinds]
    assert [[hit.id for hit in hits] for hits in found] == [[f"id of {kind}"] for kind in kinds]


def test_what_a_small_index_finds_does_not_depend_on_the_order_of_adding(store: Store, tmp_path: Path) -> None:
    vectors_SD = np.concatenate([make_vectors(150), np.repeat(make_vectors(1, seed=2), 50, axis=0)])
    ids = [f"e{number}" for number in range(200)]
    found = []
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(200)
        with opened(store, tmp_path / f"index-{seed}") as index:
            for some in np.array_split(order, 10):
                index.add([ids[row] for row in some], vectors_SD[some], ["one"] * len(some))
                index.search(vectors_SD[:1], 1, kind="one")
            found.append([[hit.id for hit in hits] for hits in index.search(vectors_SD, 5, kind="one")])
        with opened(store, tmp_path / f"index-{seed}") as index:
            found.append([[hit.id for hit in hits] for hits in index.search(vectors_SD, 5)])
    assert found == found[:1] * 8
    assert [hits[0] for hits in found[0][:150]] == ids[:150]


def test_health_bears_a_few_that_the_search_misses(tmp_path: Path) -> None:
    count = EXACT + 1
    rows_SD = np.random.default_rng(0).standard_normal((count, 64)).astype(np.float32)
    rows_SD /= np.linalg.norm(rows_SD, axis=1, keepdims=True)
    ids = [f"e{number}" for number in range(count)]
    with contextlib.closing(Chroma(effort=8).open(tmp_path / "index", 64)) as index:
        index.add(ids[:EXACT], rows_SD[:EXACT], ["one"] * EXACT)
        whole = index.search(rows_SD[:EXACT], 3)
        assert all(id in [hit.id for hit in hits] for id, hits in zip(ids, whole, strict=False))
        index.add(ids[EXACT:], rows_SD[EXACT:], ["one"])
        found = [id in [hit.id for hit in hits] for id, hits in zip(ids, index.search(rows_SD, 3), strict=True)]
        assert 0.9 < np.mean(found) < 1
        lost = [number for number in range(count) if not found[number]]
        assert index.healthy(ids, rows_SD) is None
        assert "does not find itself" in str(index.healthy([ids[number] for number in lost], rows_SD[lost]))


NO_ROOM = """
import resource, signal, sys
from pathlib import Path
from evolvent.memory.stores.chroma import Chroma
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    Chroma().open(Path(sys.argv[1]), 8)
except OSError as error:
    print(error.filename, error.strerror)
"""


@pytest.mark.slow
def test_an_index_on_a_full_disk_is_an_error_of_the_disk(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", NO_ROOM, tmp_path / "index"], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == (f"{tmp_path / 'index'} No space left on device\n", 0), done.stderr
