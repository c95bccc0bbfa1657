import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolvent.memory.errors import LedgerError
from evolvent.memory.ledger import Ledger
from evolvent.memory.records import Fate, Probe, Sample, Share

from .runs import make_sample

STEP = st.tuples(st.sampled_from(["probe", "train", "decide"]), st.integers(1, 3), st.integers(0, 5))


@contextmanager
def opened(folder: Path, *, read_only: bool = False) -> Generator[Ledger]:
    path = folder / "ledger.sqlite"
    if not path.exists():
        Ledger.create(path)
    with closing(Ledger(path, read_only=read_only)) as ledger:
        yield ledger


def make_share(samples: int = 1, *, round: int = 1, skill: str = "carry") -> Share:
    return Share(round=round, skill=skill, weakness=None, samples=samples, reason="")


def commit(ledger: Ledger, *shares: Share, key: str = "k", name: str = "allocate", round: int = 1) -> None:
    ledger.intend(key, name, round)
    ledger.commit(key, {"shares": len(shares)}, shares, 0.1, meta={"clock 0001": "{}"})


def filled(folder: Path) -> Path:
    """A ledger as SIGKILL leaves it: its last transactions are in the log beside it."""
    with opened(folder) as ledger:
        commit(ledger, *(make_share(n) for n in range(300)))
        ledger.intend("s", "curate", 1)  # samples and fates have indexes of their own, and so pages in the log
        sample = make_sample("17+25")
        ledger.commit("s", {}, [sample, Fate(sample=sample.id, round=1, kept=True, reason="kept")], 0.1, meta={})
        ledger.intend("late", "train targeted", 1)
        shutil.copytree(folder, folder / "killed")
    return folder / "killed"


def everything(ledger: Ledger) -> tuple[object, ...]:
    return (ledger.read(Share), ledger.committed(), ledger.metas(""), ledger.effect("k"), ledger.effect("late"))


@given(steps=st.lists(STEP, max_size=8))
@settings(max_examples=10, deadline=None)
def test_a_ledger_replayed_equals_the_live_one(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    folder, model = tmp_path_factory.mktemp("ledger"), dict[str, Share]()
    with opened(folder) as ledger:
        for name, round, samples in dict.fromkeys(steps):
            key, share = f"{name} {round}", make_share(samples, round=round)
            if ledger.effect(key) is None:
                commit(ledger, share, key=key, name=name, round=round)
                model[share.id] = share
        live = everything(ledger)
        with opened(folder, read_only=True) as other:
            assert everything(other) == live
    with opened(folder) as ledger:
        assert everything(ledger) == live
        assert ledger.read(Share) == list(model.values())


def test_what_a_killed_process_committed_is_all_there(tmp_path: Path) -> None:
    killed = filled(tmp_path)
    with opened(killed) as ledger:
        assert [share.samples for share in ledger.read(Share)] == list(range(300))
        assert ledger.effect("k") == ("committed", {"shares": 300})
        assert ledger.effect("late") == ("intent", None)


def test_the_same_record_twice_is_once(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        commit(ledger, make_share(1), make_share(1), make_share(2))
        commit(ledger, make_share(2), make_share(3), key="other", name="probe")
        assert [share.samples for share in ledger.read(Share)] == [1, 2, 3]


def test_records_are_found_by_round_subject_and_id(tmp_path: Path) -> None:
    one, two, other = make_share(1), make_share(2, round=2), make_share(3, round=2, skill="borrow")
    with opened(tmp_path) as ledger:
        commit(ledger, one, two, other)
        assert ledger.read(Share, round=2) == [two, other]
        assert ledger.read(Share, round=2, subject="borrow") == [other]
        assert ledger.get(Share, two.id) == two
        assert (ledger.count(Share), ledger.count(Share, round=2), ledger.count(Probe)) == (3, 2, 0)
        with pytest.raises(LedgerError, match="no share 'nothing'"):
            ledger.get(Share, "nothing")


def plan(ledger: Ledger, query: str) -> str:
    return str(ledger.rows(f"explain query plan {query}"))


def test_samples_of_a_weakness_or_a_skill_are_found_without_reading_all_of_them(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        samples = "select seq from records where kind = 'sample' and "
        assert "samples_by_weakness" in plan(ledger, samples + "json_extract(body, '$.weakness') = 'w'")
        assert "samples_by_skill" in plan(ledger, samples + "json_extract(body, '$.task.skill') = 's'")


def test_the_first_digits_of_an_id_are_enough_when_they_name_one_record(tmp_path: Path) -> None:
    shares = [make_share(n) for n in range(40)]
    with opened(tmp_path) as ledger:
        commit(ledger, *shares)
        assert ledger.find(Share, shares[0].id[:15]) == shares[0]
        with pytest.raises(LedgerError, match="several share ids begin with ''"):
            ledger.find(Share, "")
        with pytest.raises(LedgerError, match="no sample 'f'"):
            ledger.find(Sample, "f")


def test_a_quick_look_opens_a_ledger_without_reading_all_of_it(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        commit(ledger, *(make_share(n) for n in range(300)))
    path = tmp_path / "ledger.sqlite"
    content = path.read_bytes()
    path.write_bytes(content[:-4096] + Random(0).randbytes(4096))
    with pytest.raises(LedgerError, match="cannot be read"):
        Ledger(path, read_only=True)
    with closing(Ledger(path, read_only=True, thorough=False)) as ledger:
        assert ledger.meta("schema") == "1"


def test_a_commit_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.intend("k", "probe", 1)
        with pytest.raises(TypeError, match="not JSON serializable"):
            ledger.commit("k", {"bad": object()}, [make_share()], 0.1, meta={})
        assert ledger.read(Share) == []
        assert ledger.effect("k") == ("intent", None)
        commit(ledger, make_share())
        assert ledger.committed() == 1


def test_only_a_step_that_was_begun_is_committed_and_only_once(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        with pytest.raises(LedgerError, match="'k' was never begun, or happened already"):
            ledger.commit("k", {}, [make_share()], 0.1, meta={})
        commit(ledger, make_share(1))
        with pytest.raises(LedgerError, match="'k' was never begun, or happened already"):
            ledger.commit("k", {"other": 1}, [make_share(2)], 0.1, meta={})
        assert ledger.read(Share) == [make_share(1)]
        assert ledger.result("allocate", 1) == {"shares": 1}


def test_the_same_step_with_other_inputs_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.intend("k", "probe", 1)
        ledger.intend("k", "probe", 1)
        with pytest.raises(
            LedgerError, match=r"step 'probe' of round 1 was begun with other inputs; .* start a new one"
        ):
            ledger.intend("other", "probe", 1)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def zero(path: Path) -> None:
    path.write_bytes(b"\0" * path.stat().st_size)


def scramble(path: Path) -> None:
    path.write_bytes(Random(0).randbytes(path.stat().st_size))


def scramble_pages(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:8192] + Random(0).randbytes(len(content) - 8192))


def write_text(path: Path) -> None:
    path.write_text(json.dumps({"not": "a database"}))


def make_newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("update meta set value = '99' where key = 'schema'")
        database.commit()


def make_foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as database:
        database.execute("create table bookmarks (url text)")


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (truncate, "malformed"), (empty, "missing or empty"), (zero, "not a database"), (scramble, "not a database"),
        (scramble_pages, ""), (write_text, "not a database"), (make_newer, "schema '99', this version reads '?1"),
        (make_foreign, "no such table: meta"), (Path.unlink, "missing or empty"),
    ],
)  # fmt: skip
def test_a_ledger_that_cannot_be_read_is_one_error_and_stays_as_it_is(
    tmp_path: Path, damage: Callable[[Path], None], reason: str, read_only: bool
) -> None:
    with opened(tmp_path) as ledger:
        commit(ledger, *(make_share(n) for n in range(300)))
    path = tmp_path / "ledger.sqlite"
    damage(path)
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(LedgerError, match=f"ledger.sqlite: .*{reason}") as caught:
        Ledger(path, read_only=read_only)
    assert "\n" not in str(caught.value)
    assert (path.read_bytes() if path.exists() else None) == before


def test_an_emptied_ledger_keeps_its_log(tmp_path: Path) -> None:
    path = filled(tmp_path) / "ledger.sqlite"
    log = path.with_name("ledger.sqlite-wal").read_bytes()
    empty(path)
    with pytest.raises(LedgerError, match="cannot be read"):
        Ledger(path)
    assert path.with_name("ledger.sqlite-wal").read_bytes() == log


@pytest.mark.parametrize("damage", [truncate, zero, scramble])
def test_what_is_in_the_log_survives_damage_to_the_file(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    killed = filled(tmp_path)
    damage(killed / "ledger.sqlite")
    with opened(killed) as ledger:
        assert [share.samples for share in ledger.read(Share)] == list(range(300))


def test_a_read_only_ledger_cannot_be_written_to(tmp_path: Path) -> None:
    with opened(tmp_path):
        pass
    with opened(tmp_path, read_only=True) as ledger, pytest.raises(sqlite3.OperationalError, match="readonly"):
        ledger.intend("k", "probe", 1)


def test_a_ledger_is_not_made_over_one_that_is_there(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        commit(ledger, make_share())
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        Ledger.create(tmp_path / "ledger.sqlite")
    with opened(tmp_path) as ledger:
        assert ledger.count(Share) == 1


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("delete from records", "0 of 300 records are there"),
        ("delete from records where seq = 300", "299 of 300 records are there"),
        ("delete from records where seq = 7", "299 of 300 records are there"),
        ("update records set body = '{' where seq = 7", "a record was changed"),
        ("""update records set body = replace(body, '"samples":6', '"samples":7')""", "a record was changed"),
    ],
)
def test_a_ledger_that_lost_or_changed_records_is_not_opened(tmp_path: Path, statement: str, reason: str) -> None:
    with opened(tmp_path) as ledger:
        commit(ledger, *(make_share(n) for n in range(300)))
    change(tmp_path / "ledger.sqlite", statement)
    with pytest.raises(LedgerError, match=rf"ledger.sqlite: .*{reason}.* restore it from a copy"):
        Ledger(tmp_path / "ledger.sqlite")


@pytest.mark.parametrize("body", ["{", "[]", '{"round": 1}'])
def test_a_damaged_record_is_one_line_in_a_ledger_that_counted_none(tmp_path: Path, body: str) -> None:
    with opened(tmp_path) as ledger:
        commit(ledger, make_share())
    change(tmp_path / "ledger.sqlite", "delete from meta where key = 'chain'", f"update records set body = '{body}'")
    with opened(tmp_path) as ledger:
        with pytest.raises(LedgerError, match="a share is damaged") as caught:
            ledger.read(Share)
        assert "\n" not in str(caught.value)
        commit(ledger, make_share(2), key="other", name="probe")


@pytest.mark.slow
def test_many_records_are_looked_over_in_no_time(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        commit(ledger, *(make_share(n) for n in range(20_000)))
    since = time.process_time()
    with opened(tmp_path) as ledger:
        assert ledger.count(Share) == 20_000
    assert time.process_time() - since < 1.0


def test_a_damaged_result_of_a_step_is_one_line(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        commit(ledger, make_share())
    change(tmp_path / "ledger.sqlite", "update effects set result = '{'")
    with opened(tmp_path) as ledger, pytest.raises(LedgerError, match="the result of a step is damaged"):
        ledger.effect("k")


def test_records_may_be_filed_under_another_round_than_their_own(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        sample = make_sample("1+1", round=3)
        ledger.intend("key", "inherit", 0)
        ledger.commit("key", {}, [sample], 0.0, meta={}, filed=0)
        assert ledger.read(Sample, round=3) == []
        assert [(s.id, s.round) for s in ledger.read(Sample, round=0)] == [(sample.id, 3)]
