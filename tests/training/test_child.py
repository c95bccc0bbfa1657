import os
import signal
import sys
from pathlib import Path

import pytest

from evolvent.training.serving import child

FAMILY = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); {}"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "


def make_child(folder: Path, program: str) -> child.Identity:
    return child.spawn([sys.executable, "-c", program], folder / "note", folder / "log", os.environ)


def wait_for(count: int, group: int) -> None:
    while len(child.members(group)) != count:
        pass


@pytest.mark.parametrize("program", [FAMILY.format("time.sleep(60)"), DEAF + FAMILY.format("time.sleep(60)")])
def test_stopping_leaves_no_process_of_the_group(tmp_path: Path, program: str) -> None:
    found = make_child(tmp_path, program)
    wait_for(2, found.pid)
    child.stop(found, grace=0.5)
    assert child.members(found.pid) == []
    assert not child.alive(found)


def test_a_child_whose_leader_was_killed_leaves_no_orphan(tmp_path: Path) -> None:
    found = make_child(tmp_path, FAMILY.format("time.sleep(60)"))
    wait_for(2, found.pid)
    os.kill(found.pid, signal.SIGKILL)
    wait_for(1, found.pid)
    child.stop(found)
    assert child.members(found.pid) == []


def test_a_process_with_the_same_id_that_started_later_is_left_alone(tmp_path: Path) -> None:
    found = make_child(tmp_path, "import time; time.sleep(60)")
    earlier = found._replace(started=found.started - 1)
    child.stop(earlier)
    assert (child.alive(found), child.alive(earlier)) == (True, False)
    child.stop(found)


@pytest.mark.parametrize("text", ["", "12", "12 (sh) S", "what (is) this"])
def test_a_note_that_cannot_be_read_names_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "note").write_text(text)
    assert child.read(tmp_path / "note") is None
    assert child.read(tmp_path / "nothing") is None


def test_what_a_child_says_is_in_its_log(tmp_path: Path) -> None:
    found = make_child(tmp_path, "print('up', flush=True)")
    wait_for(0, found.pid)
    child.stop(found)
    assert (tmp_path / "log").read_text() == "up\n"
