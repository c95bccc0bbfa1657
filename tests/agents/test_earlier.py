"""Sessions that go on from a finished run."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from evolvent.agents import planning
from evolvent.agents.commands.items import tasks
from evolvent.agents.folder import begun
from evolvent.agents.reports.results import result
from evolvent.agents.reports.summary import command
from evolvent.memory import files
from evolvent.memory.errors import RunError, ScenarioError, UsageError
from evolvent.memory.ledger import Ledger
from evolvent.memory.lineage import lineage
from evolvent.memory.reading import Run
from evolvent.memory.recall import entries
from evolvent.memory.records import Fate, Sample, Split

from ..killing import MINI, Kill, figures, newest, runs
from ..killing import session as child

pytestmark = pytest.mark.slow

SHORT = ("--set=rounds.most=1", "--set=control=false")
SPLITS: tuple[Split, ...] = ("select", "guard", "report")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("earlier")


@pytest.fixture(scope="module")
def first(folder: Path) -> Path:
    ended = child("run", MINI, "--json", folder=folder)
    return Path(ended.events[0]["dir"])


@pytest.fixture(scope="module")
def second(folder: Path, first: Path) -> Path:
    """A session that went on from the first, with the digests of all its files taken before."""
    before = digests(first)
    ended = child("run", MINI, "--json", "--from", first, *SHORT, folder=folder)
    assert ended.code == 0, ended.said
    assert digests(first) == before
    return Path(ended.events[0]["dir"])


def digests(run: Path) -> dict[str, str]:
    return {
        str(path): files.file_digest(path)
        for path in run.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def plan(before: Path, *overrides: str, scenario: Path = MINI) -> planning.Plan:
    return planning.plan(scenario, overrides, seed=0, limit=None, allow_import=False, before=before)


def test_it_starts_from_the_promoted_student_and_says_whence(first: Path, second: Path) -> None:
    promoted = result(first)["decisions"][-1]["candidate"]
    found = result(second)
    assert found["from"]["run"] == first.name
    assert found["from"]["student"] == found["decisions"][0]["incumbent"] == promoted
    assert f"--from {first}" in found["command"]
    assert f"--from {first.name}" in command(begun(second)[1], file="scenario.toml")
    assert not (second / "base" / "model.safetensors").samefile(first / "base" / "model.safetensors")


def test_no_exam_holds_an_item_that_was_examined_before(first: Path, second: Path) -> None:
    opened = {task.key for split in SPLITS for task in tasks(first, split)}
    fresh = {task.key for split in SPLITS for task in tasks(second, split)}
    assert len(fresh) == len(opened) == 240
    assert opened.isdisjoint(fresh)


def test_the_third_session_of_a_chain_leaves_out_the_items_of_both(first: Path, second: Path) -> None:
    both = {task.key for run in (first, second) for split in SPLITS for task in tasks(run, split)}
    third = plan(second)
    assert third.earlier
    assert set().union(*third.earlier.opened.values()) == both
    assert third.session().settings["from"]["session"] == begun(second)[1].id


def test_samples_keep_their_ids_and_are_trained_on_with_the_new_ones(first: Path, second: Path) -> None:
    with Run.load(first) as one, Run.load(second) as two:
        kept = {f.sample for f in one.ledger.read(Fate) if f.kept}
        taught = {s.id for s in one.ledger.read(Sample, subject="targeted") if s.id in kept}
        taken = two.ledger.read(Sample, round=0, subject="targeted")
        written = [f for f in two.ledger.read(Fate, round=1) if f.kept]
        assert {s.id for s in taken} == taught
    found = result(second)
    assert found["from"]["kept"] == found["from"]["samples"] == len(taught)
    assert found["samples"]["kept"] == len(written)
    trained = json.loads((second / "rounds" / "001" / "round.json").read_text())
    assert trained["steps"] == plan(first).parts.trainer.steps(len(taught) + len(written))


def test_an_inherited_sample_is_explained_as_far_as_the_run_knows(first: Path, second: Path) -> None:
    ledger = Ledger(second / "ledger.sqlite", read_only=True)
    sample = next(s for s in ledger.read(Sample, round=0, subject="targeted") if s.weakness)
    found = lineage(ledger, sample.id)
    ledger.close()
    assert found.inherited
    assert found.fate
    assert found.fate.reason == f"kept from {first.name}"
    assert [r.number for r in found.trained_in] == [1]


def test_memory_is_taken_along_under_ids_of_its_own(first: Path, second: Path) -> None:
    before, now = entries(first / "memory"), entries(second / "memory")
    assert {e.text for e in before} <= {e.text for e in now}
    assert sum(e.id.startswith(f"{begun(first)[1].id}:") for e in now) == len(before)


def test_one_that_was_killed_while_it_took_over_comes_to_the_same(folder: Path, first: Path, second: Path) -> None:
    before = runs(folder)
    child("run", MINI, "--from", first, *SHORT, folder=folder, kill=Kill("index.after_upsert", 1))
    run = newest(folder, before)
    assert run
    last = child("resume", run, "--json", folder=folder)
    assert last.code == 0, last.said
    assert figures(run, last.events[-1]) == figures(second, result(second))


def status(run: Path, status: str) -> None:
    stored = json.loads((run / "session.json").read_text()) | {"status": status, "pid": -1}
    (run / "session.json").write_text(json.dumps(stored))


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"x")


REFUSALS: dict[str, tuple[Callable[[Path], object], tuple[str, ...], str]] = {
    "unfinished": (lambda r: status(r, "running"), (), "interrupted, and a session goes on from a finished one"),
    "damaged student": (lambda r: damage(r / "rounds/002/model/model.safetensors"), (), "not the weights"),
    "damaged round": (lambda r: damage(r / "rounds/002/data/train.parquet"), (), "damaged or incomplete"),
    "no ledger": (lambda r: (r / "ledger.sqlite").unlink(), (), "ledger cannot be read"),
    "no run": (shutil.rmtree, (), "not a run of evolvent"),
    "other skills": (lambda _: None, ("skills.coin.task.digits=3",), "has another skills"),
    "other shares": (lambda _: None, ("splits.report=0.3",), "has another splits.report"),
    "other student": (lambda _: None, ("student.layers=2",), "has another student"),
    "other name": (lambda _: None, ("name=maxi", "verifier=numeric"), "has another name, verifier"),
}


@pytest.mark.parametrize(("change", "overrides", "said"), REFUSALS.values(), ids=REFUSALS)
def test_a_run_that_cannot_be_gone_on_from_is_refused(
    first: Path, tmp_path: Path, change: Callable[[Path], object], overrides: tuple[str, ...], said: str
) -> None:
    run = Path(shutil.copytree(first, tmp_path / first.name, symlinks=True))
    change(run)
    with pytest.raises(UsageError, match=said):
        plan(run, *overrides)


def test_what_it_was_left_is_not_taken_when_it_changed(second: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(second, tmp_path / "copy", symlinks=True))
    (run / "earlier" / "opened.json").write_text("{}")
    with pytest.raises(RunError, match="it changed since this run began"):
        tasks(run, "report")


def test_a_source_with_too_few_fresh_items_is_refused_with_the_reason(first: Path) -> None:
    many = "splits.sealed=1660"
    assert planning.plan(MINI, [many], seed=0, limit=None, allow_import=False).scenario
    said = f"without what {first} and the runs before it have examined: .*coin.* to report, which needs 1,660"
    with pytest.raises(ScenarioError, match=said):
        plan(first, many)
