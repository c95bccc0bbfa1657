"""The program called in this process, as a shell would call it."""

import sys
from pathlib import Path

import pytest

from evolvent.agents import cli


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    """Run `evolvent` with these arguments; give its exit code."""
    monkeypatch.setattr(sys, "argv", ["evolvent", *map(str, arguments)])
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0
