"""What a program is told of a session while it runs: one JSON line an event, and nothing else on standard output."""

import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from .progress import Progress


@contextmanager
def stdout_is_ours() -> Generator[None]:
    """Send what libraries print to standard error."""
    import sys

    with redirect_stdout(sys.stderr):
        yield


def emit(json_lines: bool, value: Mapping[str, Any]) -> None:
    """Write one line, if lines are wanted."""
    import sys

    if json_lines:
        assert sys.__stdout__ is not None
        print(json.dumps(value, ensure_ascii=False), file=sys.__stdout__, flush=True)


class Launch:
    """Says once where a run is, and knows it when its desk cannot be opened."""

    def __init__(self, json_lines: bool, run: Path | None = None) -> None:
        self.json_lines = json_lines
        self.run = run
        self.said = False

    def __call__(self, run: Path) -> None:
        """Say where it is."""
        self.run, self.said = run, True
        emit(self.json_lines, {"event": "launch", "run": run.name, "dir": str(run), "pid": os.getpid()})


class Lines:
    """Writes a JSON line per round, and shows progress as well."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._round: dict[str, Any] = {}

    def on(self, event: str, facts: Mapping[str, Any]) -> None:
        """Take one event."""
        self.progress.on(event, facts)
        if event in ("curate", "train", "examine", "evaluate", "decide"):
            self._round |= {k: v for k, v in facts.items() if k != "round"}
        if event == "decide":
            emit(True, {"event": "round", "n": facts["round"], **self._round})
            self._round = {}
