import signal
from collections.abc import Generator
from pathlib import Path

import pytest

from . import calling
from .calling import Cli, Said


@pytest.fixture
def evolvent(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Generator[Cli]:
    """The program in this process, in an empty folder."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EVOLVENT_RUNS_DIR", raising=False)

    def call(*arguments: str | Path) -> Said:
        code = calling.call(monkeypatch, *arguments)
        said = capfd.readouterr()
        return Said(code, str(said.out), str(said.err))

    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)
