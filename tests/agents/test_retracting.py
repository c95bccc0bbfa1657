"""Data withdrawn from real sessions, finished and killed, and the clean student that takes the tainted one's place."""

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from evolvent.agents.earlier import read
from evolvent.agents.exports.dataset import samples as exported
from evolvent.agents.exports.exporting import export_model
from evolvent.agents.parts import Parts
from evolvent.agents.reports.results import result
from evolvent.memory.errors import RunError
from evolvent.memory.ledger import Ledger
from evolvent.memory.lineage import kept
from evolvent.memory.reading import Run
from evolvent.memory.records import Exam, Round
from evolvent.memory.retraction import Replacement, Retraction, current, tainted, withdrawn
from evolvent.scenarios import loader

from ..killing import MINI, Ended, Json, Kill, committed, look, lost, newest, runs
from ..killing import session as child

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("retracting")


@pytest.fixture(scope="module")
def finished(folder: Path) -> Path:
    ended = child("run", MINI, "--json", folder=folder)
    assert ended.code == 0, ended.said
    return Path(ended.events[-1]["dir"])


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run", symlinks=True))


def first_sample(run: Path) -> str:
    with closing(Ledger(run / "ledger.sqlite", read_only=True)) as ledger:
        return next(s.id for s in kept(ledger) if s.round == 1)


def retract(run: Path, folder: Path, *arguments: str) -> Ended:
    return child("retract", run, *arguments, "--json", folder=folder)


def came_to(run: Path) -> Json:
    """What counts of a retraction, free of clocks."""
    with closing(Ledger(run / "ledger.sqlite", read_only=True)) as ledger:
        now = current(ledger)
        assert now
        return {
            "student": now.digest,
            "tainted": sorted(tainted(ledger)),
            "withdrawn": sorted(withdrawn(ledger)),
            "replacements": [r.model_dump(mode="json") for r in ledger.read(Replacement)],
            "clean": [r.model_dump(mode="json") for r in ledger.read(Round, subject="clean")],
        }


@pytest.fixture(scope="module")
def cleaned(folder: Path, finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of which a sample was withdrawn and the student trained again at once."""
    run = Path(shutil.copytree(finished, tmp_path_factory.mktemp("cleaned") / "run", symlinks=True))
    ended = retract(run, folder, "--sample", first_sample(run), "--reason", "it is wrong", "--retrain")
    assert ended.code == 0, ended.said
    assert ended.events[0]["event"] == "retract"
    assert ended.events[-1]["status"] == "finished"
    return run


def test_a_withdrawn_sample_taints_its_students_and_they_are_not_exported_by_mistake(
    folder: Path, run: Path, tmp_path: Path
) -> None:
    sample = first_sample(run)
    before = look(run)
    (done,) = retract(run, folder, "--sample", sample).events
    assert (done["samples"], len(done["tainted"]), done["due"]) == (1, 2, True)
    assert lost(before, look(run)) == []
    assert "no clean one was trained yet" in (run / "report.html").read_text()
    with Run.load(run) as opened:
        with pytest.raises(RunError, match="tainted"):
            export_model(opened, "final", tmp_path / "out", merge=False, base="", force=False)
        export_model(opened, "final", tmp_path / "out", merge=False, base="", force=False, tainted=True)
        assert sample not in {row["sample"] for row in exported(opened)}
        assert sample in {row["sample"] for row in exported(opened, rejected=True)}
    assert "Tainted" in (tmp_path / "out/README.md").read_text()
    scenario = loader.load(MINI)
    with pytest.raises(RunError, match="learned from samples that were withdrawn"):
        read(run, scenario, Parts.resolve(scenario, "mini"), where="mini.toml")


def test_a_clean_student_takes_the_place_of_the_tainted_one(cleaned: Path, finished: Path, tmp_path: Path) -> None:
    found, before = came_to(cleaned), came_to(finished)
    assert found["student"] not in (before["student"], *found["tainted"])
    assert before["student"] in found["tainted"]
    (replacement,) = found["replacements"]
    assert replacement["replaced"]
    assert set(replacement["bounds"]) >= {"select", "add-plain"}
    assert all(bound["upper"] < bound["margin"] for bound in replacement["bounds"].values())
    (clean,) = found["clean"]
    with closing(Ledger(cleaned / "ledger.sqlite", read_only=True)) as ledger:
        promoted = next(r for r in ledger.read(Round, subject="targeted") if r.checkpoint == before["student"])
    assert clean["samples"] == promoted.samples - 1
    with Run.load(cleaned) as opened:
        export_model(opened, "final", tmp_path / "out", merge=False, base="", force=False)
    assert json.loads((tmp_path / "out/evolvent.json").read_text())["student"] == found["student"]


def test_the_sealed_report_is_not_opened_again_and_says_whose_scores_it_holds(cleaned: Path, finished: Path) -> None:
    now, before = result(cleaned), result(finished)
    assert now["report"] == before["report"]
    assert now["withdrawn"]["sealed"]
    page = (cleaned / "report.html").read_text()
    for part in ("took the place of the tainted one", "the report is not opened again", "it is wrong"):
        assert part in page


@pytest.mark.parametrize(
    "kill",
    [
        Kill("train.before_seal"),
        Kill("effect.after_publish"),
        Kill("effect.before_commit", 3),
        Kill("report.before_write"),
    ],
    ids=str,
)
def test_a_clean_retrain_that_is_killed_comes_to_the_same(folder: Path, run: Path, cleaned: Path, kill: Kill) -> None:
    retract(run, folder, "--sample", first_sample(run), "--reason", "it is wrong")
    assert child("resume", run, folder=folder, kill=kill).code == -9
    before = look(run)
    ended = child("resume", run, "--json", folder=folder)
    assert ended.code == 0, ended.said
    assert lost(before, look(run)) == []
    assert came_to(run) == came_to(cleaned)
    assert child("resume", run, "--json", folder=folder).events[-1]["status"] == "finished"


@pytest.mark.parametrize("point", ["effect.after_intent", "effect.before_commit", "effect.after_commit"])
def test_a_retraction_that_is_killed_happened_or_did_not_and_can_be_said_again(
    folder: Path, run: Path, cleaned: Path, point: str
) -> None:
    said = ("retract", run, "--sample", first_sample(run), "--reason", "it is wrong", "--json")
    before = committed(run)
    assert child(*said, folder=folder, kill=Kill(point)).code == -9
    assert committed(run) == before + (point == "effect.after_commit")
    assert child(*said, folder=folder).code == 0
    assert committed(run) == before + 1
    assert came_to(run)["tainted"] == came_to(cleaned)["tainted"]
    assert came_to(run)["withdrawn"] == came_to(cleaned)["withdrawn"]
    with closing(Ledger(run / "ledger.sqlite", read_only=True)) as ledger:
        assert ledger.count(Retraction) == 1


def test_where_nothing_is_left_to_train_on_the_report_says_so(folder: Path, run: Path) -> None:
    assert retract(run, folder, "--teacher", "program").code == 0
    ended = child("resume", run, "--json", folder=folder)
    assert ended.code == 0, ended.said
    gone = ended.events[-1]["withdrawn"]
    assert gone["student"]["tainted"]
    assert [(r["replaced"], r["clean"]) for r in gone["replacements"]] == [(False, "")]
    assert "nothing is left to train on" in (run / "report.html").read_text()


def test_a_session_killed_in_training_goes_on_without_what_is_withdrawn_meanwhile(folder: Path, finished: Path) -> None:
    with closing(Ledger(finished / "ledger.sqlite", read_only=True)) as ledger:
        steps = [name for (name,) in ledger.rows("select name from effects order by rowid")]
    second = [i for i, name in enumerate(steps) if name == "train targeted"][1]
    before = runs(folder)
    child("run", MINI, folder=folder, kill=Kill(count=second, later=0.2))
    run = newest(folder, before)
    assert run
    assert look(run).intents == ("train targeted of round 2",)
    sample = first_sample(run)
    (done,) = retract(run, folder, "--sample", sample).events
    assert (done["samples"], len(done["tainted"]), done["due"]) == (1, 1, False)
    ended = child("resume", run, "--json", folder=folder)
    assert ended.code == 0, ended.said
    with closing(Ledger(run / "ledger.sqlite", read_only=True)) as ledger:
        first, last = ledger.read(Round, subject="targeted")
        known = {s.id for s in kept(ledger, until=2)}
        assert first.checkpoint in tainted(ledger)
        assert last.checkpoint not in tainted(ledger)
    assert sample not in known
    assert last.samples == len(known)
    assert ended.events[-1]["withdrawn"]["student"] in (
        None,
        {"digest": last.checkpoint, "tainted": False, "clean": False},
    )


def test_nothing_is_withdrawn_from_a_run_that_somebody_works_on(folder: Path, run: Path) -> None:
    from evolvent.memory.lock import Lock

    before = committed(run)
    with Lock(run):
        said = retract(run, folder, "--teacher", "program")
    assert (said.code, committed(run)) == (2, before)
    assert "is writing to this run" in said.said


def test_a_session_that_goes_on_opens_its_report_for_the_clean_student(folder: Path, finished: Path) -> None:
    with closing(Ledger(finished / "ledger.sqlite", read_only=True)) as ledger:
        steps = [name for (name,) in ledger.rows("select name from effects order by rowid")]
    last = [i for i, name in enumerate(steps) if name == "reflect"][-1]
    before = runs(folder)
    child("run", MINI, folder=folder, kill=Kill("effect.after_commit", last + 1))
    run = newest(folder, before)
    assert run
    assert retract(run, folder, "--sample", first_sample(run)).events[0]["due"]
    ended = child("resume", run, "--json", folder=folder)
    assert ended.code == 0, ended.said
    gone = ended.events[-1]["withdrawn"]
    assert gone["student"]["clean"]
    assert not gone["sealed"]
    with closing(Ledger(run / "ledger.sqlite", read_only=True)) as ledger:
        now, opened = current(ledger), ledger.result("report opening", 0)
        assert now
        assert ledger.get(Exam, opened["final"]["exam"]).student == now.digest
