"""Sessions whose candidates are put through an evaluation of the user's own, which is a program beside the scenario."""

from pathlib import Path

import pytest

from evolvent.memory.evaluations import Evaluated
from evolvent.memory.ledger import Ledger
from evolvent.memory.lineage import kept
from evolvent.memory.records import Fate, Promotion

from ..killing import Ended, Kill, runs, session

pytestmark = pytest.mark.slow

MINI = Path(__file__).parent.with_name("mini.toml")
PROGRAM = """
import argparse, json, pathlib, time
ASKED = ["flip %d" % n for n in range(1000, 10000, 3)]
parser = argparse.ArgumentParser()
parser.add_argument("student")
parser.add_argument("out")
parser.add_argument("--limit", type=int, default=3000)
given = parser.parse_args()
here = pathlib.Path(__file__).parent
with (here / "asked.txt").open("a") as asked:
    asked.write("once\\n")
weights = (pathlib.Path(given.student) / "model.safetensors").read_bytes()
first = here / "first.bin"
if not first.exists():
    first.write_bytes(weights)
same = first.read_bytes() == weights
(here / "begun").touch()
time.sleep(SECONDS)
with open(given.out, "w") as out:
    for i in range(given.limit):
        score = 1.0 if same or i % 10 >= WORSE else 0.0
        out.write(json.dumps({"id": i, "score": score, "prompt": ASKED[i] if i < len(ASKED) else ""}) + "\\n")
"""
"""Finds every student but the first one worse at WORSE items of ten."""
ASKED = {f"flip {n}" for n in range(1000, 10000, 3)}


def write(folder: Path, *, worse: int = 0, seconds: float = 0.0, settings: str = "") -> Path:
    program = PROGRAM.replace("WORSE", str(worse)).replace("SECONDS", str(seconds))
    (folder / "own.py").write_text(program)
    path = folder / "evaluated.toml"
    path.write_text(f'{MINI.read_text()}\n[evaluations.own]\nname = "program"\npath = "own.py"\n{settings}')
    return path


def run(folder: Path, *more: str, kill: Kill | None = None) -> Ended:
    return session("run", folder / "evaluated.toml", "--json", "--allow-import", *more, folder=folder, kill=kill)


def decisions(folder: Path) -> list[Promotion]:
    return Ledger(runs(folder)[-1] / "ledger.sqlite").read(Promotion)


def test_a_candidate_that_is_no_worse_in_it_is_not_held_back_and_the_report_says_what_it_got(tmp_path: Path) -> None:
    write(tmp_path)
    ended = run(tmp_path)
    assert ended.code == 0, ended.said
    assert decisions(tmp_path)
    for decision in decisions(tmp_path):
        assert decision.guards["own"]["loss"] == 0
        assert decision.reason.endswith("guards hold")
    assert ended.events[-1]["evaluations"]["own"]["items"] == 3000
    assert "Evaluations" in (runs(tmp_path)[-1] / "report.html").read_text()
    sat = Ledger(runs(tmp_path)[-1] / "ledger.sqlite").read(Evaluated)
    assert len(sat) == 1 + len(decisions(tmp_path)), "every student once"


def test_a_candidate_that_got_worse_in_it_is_not_promoted(tmp_path: Path) -> None:
    write(tmp_path, worse=7)
    ended = run(tmp_path)
    assert ended.code == 0, ended.said
    for decision in decisions(tmp_path):
        assert not decision.promoted
        assert "guard 'own' may have lost up to" in decision.reason


def test_nothing_that_it_asks_is_trained_on(tmp_path: Path) -> None:
    write(tmp_path)
    ended = run(tmp_path)
    assert ended.code == 0, ended.said
    ledger = Ledger(runs(tmp_path)[-1] / "ledger.sqlite")
    assert not {sample.task.prompt for sample in kept(ledger, until=None, arm="targeted")} & ASKED
    reasons = [fate.reason for fate in ledger.read(Fate) if not fate.kept]
    assert "leak: an item of an evaluation asks the same" in reasons


def test_a_session_killed_in_the_middle_of_it_waits_for_it_and_asks_nobody_twice(tmp_path: Path) -> None:
    write(tmp_path, seconds=6)
    ended = run(tmp_path, kill=Kill(when=(tmp_path / "begun").exists))
    assert ended.code < 0
    assert (tmp_path / "asked.txt").read_text().split() == ["once"]
    whole = session("resume", runs(tmp_path)[-1], "--json", "--allow-import", folder=tmp_path)
    assert whole.code == 0, whole.said
    assert len((tmp_path / "asked.txt").read_text().split()) == 1 + len(decisions(tmp_path))


def test_one_with_too_few_items_to_hold_anything_is_refused(tmp_path: Path) -> None:
    write(tmp_path, settings="limit = 12\n")
    ended = run(tmp_path, "--set=gate.margin=0.02")
    assert ended.code == 2
    assert "evaluations.own: with 12 items no candidate can show" in ended.said
    assert "have 133" in ended.said
