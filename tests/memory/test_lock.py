import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from evolvent.memory.errors import RunError
from evolvent.memory.lock import Lock

HOLD = "import sys; from pathlib import Path; from evolvent.memory.lock import Lock\n" \
       "with Lock(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"  # fmt: skip


@contextmanager
def holder(folder: Path) -> Generator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin
    assert process.stdout
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def test_a_second_process_is_refused_and_told_who_writes(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        with (
            pytest.raises(RunError, match=f"process {process.pid} is writing to this run; wait for it"),
            Lock(tmp_path),
        ):
            pass
        assert Lock(tmp_path).holder() == process.pid
    with Lock(tmp_path):
        pass


def test_a_killed_holder_blocks_nobody(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        with Lock(tmp_path):
            pass


def test_a_lock_file_that_cannot_be_read_names_nobody_and_locks_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("not json" * 100)
    assert Lock(tmp_path).holder() is None
    with Lock(tmp_path):
        assert (tmp_path / "lock").read_text().startswith('{"pid"')
        with pytest.raises(RunError, match="is writing to this run"), Lock(tmp_path):
            pass


def test_the_lock_is_released_when_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Lock(tmp_path):
        raise ZeroDivisionError
    with Lock(tmp_path):
        pass
