import time
from pathlib import Path

import pytest

from evolvent.agents.hook import VARIABLE, Hook
from evolvent.memory.errors import UsageError

from ..memory.runs import make_run, story


def make_script(folder: Path, body: str) -> str:
    path = folder / "script"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o700)
    return str(path)


def test_it_is_told_the_run_and_how_it_ended_and_is_not_started_by_what_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path, story())
    script = make_script(tmp_path, f'printf "%s|%s|%s" "$EVOLVENT_RUN" "$EVOLVENT_STATUS" "${VARIABLE}" > "$1"')
    monkeypatch.setenv(VARIABLE, script)
    assert Hook.parse(f"{script} '{tmp_path}/with space'").after(run) is None
    assert (tmp_path / "with space").read_text() == f"{run}|finished|"


def test_no_shell_reads_its_words(tmp_path: Path) -> None:
    run = make_run(tmp_path, story())
    assert Hook.parse(f"touch '{tmp_path}/$(id);x'").after(run) is None
    assert (tmp_path / "$(id);x").exists()


@pytest.mark.parametrize("status", ["interrupted", "running"])
def test_whoever_interrupted_a_session_is_not_told(tmp_path: Path, status: str) -> None:
    run = make_run(tmp_path, story(), status=status)
    assert Hook.parse(f"touch {tmp_path}/told").after(run) is None
    assert not (tmp_path / "told").exists()


def test_a_failure_is_one_line(tmp_path: Path) -> None:
    run = make_run(tmp_path, story())
    assert Hook.parse("false").after(run) == "--on-end 'false' ended with exit code 1"
    assert "could not be run" in str(Hook((str(tmp_path),)).after(run))


def test_one_that_hangs_is_stopped_with_all_it_started(tmp_path: Path) -> None:
    run, since = make_run(tmp_path, story()), time.monotonic()
    hook = Hook((make_script(tmp_path, f"(sleep 2; touch {tmp_path}/late) & sleep 30"),), patience=0.2)
    assert "was stopped after" in str(hook.after(run))
    assert time.monotonic() - since < 2


@pytest.mark.parametrize(("command", "part"), [("tell 'me", "no closing quotation"), ("nosuchprogram x", "no program")])
def test_one_that_cannot_be_run_is_refused_before_anything_begins(command: str, part: str) -> None:
    with pytest.raises(UsageError, match=part):
        Hook.parse(command)
