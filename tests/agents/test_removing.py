import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from evolvent.memory import files
from evolvent.memory.lock import Lock
from evolvent.training.lease import LEASE
from evolvent.training.serving import child
from evolvent.training.serving.server import NOTE

from ..memory.runs import make_run, story
from . import calling

Say = Callable[..., str]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Say:
    """The program, in a folder with two runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EVOLVENT_RUNS_DIR", raising=False)
    for name in ("one", "two"):
        make_run(tmp_path / "runs", story(), name=name)

    def call(*arguments: str | Path) -> str:
        code = calling.call(monkeypatch, "runs", "rm", *arguments)
        said = capsys.readouterr()
        return said.out + said.err if code == 0 else f"{code}: {said.err}"

    return call


def left() -> list[str]:
    return sorted(os.listdir("runs"))


def go_on_from(run: str, earlier: str) -> None:
    path = Path("runs", run, "session.json")
    stored = json.loads(path.read_text())
    origin = json.loads(Path("runs", earlier, "session.json").read_text())["session"]
    from evolvent.memory.records import Session

    stored["session"]["settings"] = {"from": {"session": Session.model_validate(origin).id, "dir": f"runs/{earlier}"}}
    path.write_text(json.dumps(stored))


@pytest.mark.parametrize("name", ["one", "runs/one", "./runs/one/"])
def test_a_run_is_removed_and_what_it_frees_is_said(say: Say, name: str) -> None:
    Path("runs/one/weights").write_bytes(b"x" * 3_000_000)
    assert "MB freed" in say(name, "--yes")
    assert left() == ["two"]


def test_a_program_is_told_what_was_removed(say: Say) -> None:
    wanted = files.size(Path("runs/one"))
    (line,) = [entry for entry in say("one", "--yes", "--json").splitlines() if entry.startswith("{")]
    found = json.loads(line)
    assert (found["event"], found["run"], found["status"]) == ("removed", "one", "finished")
    assert abs(found["bytes"] - wanted) < 100_000


def test_files_that_another_run_shares_are_not_counted_as_freed(say: Say) -> None:
    Path("runs/one/weights").write_bytes(b"x" * 3_000_000)
    os.link("runs/one/weights", "runs/two/weights")
    (line,) = [entry for entry in say("one", "--yes", "--json").splitlines() if entry.startswith("{")]
    assert json.loads(line)["bytes"] < 3_000_000
    assert Path("runs/two/weights").stat().st_size == 3_000_000


def test_without_a_person_to_ask_nothing_is_removed(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/null").open() as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        assert say("one").startswith("2: ")
    assert left() == ["one", "two"]


@pytest.mark.parametrize(("answer", "stays"), [("y\n", ["two"]), ("n\n", ["one", "two"]), ("", ["one", "two"])])
def test_a_person_is_asked(say: Say, monkeypatch: pytest.MonkeyPatch, answer: str, stays: list[str]) -> None:
    person, terminal = os.openpty()
    os.write(person, answer.encode() or b"\x04")
    with os.fdopen(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        said = say("one")
    os.close(person)
    assert "remove it for good? [y/N]" in said
    assert left() == stays


def test_a_run_that_somebody_works_on_stays(say: Say) -> None:
    script = (
        "import sys; from pathlib import Path; from evolvent.memory.lock import Lock\n"
        "with Lock(Path('runs/one')): print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        writer.stdout.readline()
        said = say("two", "one", "--yes")
        writer.communicate()
    assert said.startswith("2: ")
    assert f"process {writer.pid} is writing to this run" in said
    assert left() == ["one", "two"]


def test_a_link_is_never_followed(say: Say, tmp_path: Path) -> None:
    outside = make_run(tmp_path / "elsewhere", story(), name="mine")
    Path("runs/linked").symlink_to(outside)
    assert "is a link" in say("linked", "--yes", "--force")
    assert "is a link" in say("runs/linked", "--yes", "--force")
    Path("runs/one/inside").symlink_to(outside)
    say("one", "--yes")
    assert (outside / "ledger.sqlite").is_file()


@pytest.mark.parametrize("place", ["../elsewhere/mine", "elsewhere/mine", "..", ".", "/", "runs", "runs/one/rounds"])
def test_nothing_outside_of_the_runs_folder_is_removed(say: Say, tmp_path: Path, place: str) -> None:
    make_run(tmp_path / "elsewhere", story(), name="mine")
    Path("runs/one/rounds").mkdir()
    assert say(place, "--yes", "--force").startswith("2: ")
    assert (left(), os.listdir("elsewhere")) == (["one", "two"], ["mine"])


def test_what_is_no_run_is_not_removed(say: Say) -> None:
    Path("runs/notes").mkdir()
    assert "not a run of evolvent" in say("notes", "--yes", "--force")
    assert left() == ["notes", "one", "two"]


def test_one_run_that_may_not_go_keeps_the_others(say: Say) -> None:
    assert say("one", "nothing", "--yes").startswith("2: ")
    assert left() == ["one", "two"]


def test_a_run_that_another_was_started_from_goes_only_by_force_or_together(say: Say) -> None:
    go_on_from("two", "one")
    said = say("one", "--yes")
    assert said.startswith("2: ")
    assert "two goes on from it" in said
    assert left() == ["one", "two"]
    say("one", "--yes", "--force")
    assert left() == ["two"]


def test_runs_that_refer_to_each_other_go_together(say: Say) -> None:
    go_on_from("two", "one")
    say("one", "two", "--yes")
    assert left() == []


def test_a_run_whose_files_a_scenario_names_goes_only_by_force(say: Say, tmp_path: Path) -> None:
    resolved = Path("runs/two/scenario.resolved.json")
    stored = json.loads(resolved.read_text())
    stored["scenario"]["student"] = {"model": str(tmp_path / "runs/one/rounds/001/model")}
    resolved.write_text(json.dumps(stored))
    assert "two has a scenario that names files of it" in say("one", "--yes")
    assert left() == ["one", "two"]


@pytest.mark.parametrize("place", [f"serving/student/{NOTE}", f"staging/{'0' * 32}/{LEASE}"])
def test_what_a_killed_session_left_running_ends_with_its_run(say: Say, tmp_path: Path, place: str) -> None:
    note = Path("runs/one", place)
    note.parent.mkdir(parents=True)
    left_over = child.spawn(["/bin/sleep", "600"], note, tmp_path / "log", {})
    assert child.alive(left_over)
    say("one", "--yes")
    assert not child.alive(left_over)
    assert left() == ["two"]


def test_what_a_killed_removal_left_goes_with_the_next_and_is_no_run_meanwhile(
    say: Say, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("runs/one").rename("runs/.removed-one")
    assert calling.call(monkeypatch, "runs", "list") == 0
    assert "one" not in capsys.readouterr().out
    say("two", "--yes")
    assert left() == []


def test_a_removed_run_is_locked_until_it_is_gone(say: Say) -> None:
    with Lock(Path("runs/one")):
        assert say("one", "--yes", "--force").startswith("2: ")
    assert left() == ["one", "two"]
