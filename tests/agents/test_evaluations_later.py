"""Evaluations in sessions that go on from another, and of students trained again without what was withdrawn."""

from pathlib import Path

import pytest

from evolvent.memory.evaluations import Evaluated
from evolvent.memory.ledger import Ledger
from evolvent.memory.lineage import kept
from evolvent.memory.records import Fate
from evolvent.memory.retraction import Replacement

from ..killing import Ended, runs, session

pytestmark = pytest.mark.slow

MINI = Path(__file__).parent.with_name("mini.toml")
QUICK = "--set=control=false"
PROGRAM = """
import json, pathlib, sys
asked = pathlib.Path(__file__).with_name("asked.txt").read_text().splitlines()
with open(sys.argv[2], "w") as out:
    for number in range(2000):
        prompt = asked[number] if number < len(asked) else ""
        out.write(json.dumps({"id": number, "score": 1.0, "prompt": prompt}) + "\\n")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds a scenario with an evaluation, and a finished run of the one without it."""
    folder = tmp_path_factory.mktemp("evaluated")
    (folder / "own.py").write_text(PROGRAM)
    (folder / "asked.txt").touch()
    own = '[evaluations.own]\nname = "program"\npath = "own.py"\n'
    (folder / "evaluated.toml").write_text(f"{MINI.read_text()}\n{own}")
    ended = session("run", MINI, "--json", QUICK, folder=folder)
    assert ended.code == 0, ended.said
    return folder


def run(folder: Path, *more: str | Path) -> Ended:
    ended = session("run", folder / "evaluated.toml", "--json", "--allow-import", QUICK, *more, folder=folder)
    assert ended.code == 0, ended.said
    return ended


def ledger(run: Path) -> Ledger:
    return Ledger(run / "ledger.sqlite", read_only=True)


def test_what_an_earlier_run_left_is_not_trained_on_where_an_evaluation_asks_it(folder: Path) -> None:
    first = runs(folder)[0]
    taken = sorted({sample.task.prompt for sample in kept(ledger(first))})[::2]
    (folder / "asked.txt").write_text("".join(f"{prompt}\n" for prompt in taken))
    second = ledger(Path(run(folder, "--set=rounds.most=1", "--from", first).events[-1]["dir"]))
    assert not {sample.task.prompt for sample in kept(second)} & set(taken)
    assert "leak: an item of an evaluation asks the same" in {f.reason for f in second.read(Fate, round=0)}


def test_a_student_that_is_trained_again_is_evaluated_beside_the_one_it_replaces(folder: Path) -> None:
    (folder / "asked.txt").write_text("")
    made = Path(run(folder).events[-1]["dir"])
    withdrawn = kept(ledger(made))[0].id
    ended = session(
        "retract", made, "--sample", withdrawn, "--reason", "it is wrong", "--retrain", "--json", "--allow-import",
        folder=folder,
    )  # fmt: skip
    assert ended.code == 0, ended.said
    (replacement,) = ledger(made).read(Replacement)
    assert replacement.bounds["own"]["loss"] == 0
    assert replacement.clean in {e.student for e in ledger(made).read(Evaluated, subject="own")}


def test_students_that_were_not_asked_the_same_are_not_compared(folder: Path) -> None:
    program = folder / "drawn.py"
    program.write_text(PROGRAM.replace('else ""', "else sys.argv[1]"))
    own = '[evaluations.own]\nname = "program"\npath = "drawn.py"\n'
    (folder / "drawn.toml").write_text(f"{MINI.read_text()}\n{own}")
    ended = session("run", folder / "drawn.toml", "--json", "--allow-import", QUICK, folder=folder)
    assert ended.code != 0
    assert "evaluations.own asked" in ended.said
    assert "have it draw its items with a seed" in ended.said


def test_exams_beside_an_evaluation_are_exported_without_leave_to_run_it(folder: Path) -> None:
    made = Path(run(folder, "--set=rounds.most=1").events[-1]["dir"])
    ended = session("export", made, "--record", "exams", "--out", folder / "out", folder=folder)
    assert ended.code == 0, ended.said
