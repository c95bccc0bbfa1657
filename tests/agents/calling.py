"""The program called in this process, as a shell would call it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from evolvent.agents import cli


class Said(NamedTuple):
    code: int
    out: str
    err: str


Cli = Callable[..., Said]
"""What the fixture `evolvent` gives."""


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    """Run `evolvent` with these arguments; give its exit code."""
    monkeypatch.setattr(sys, "argv", ["evolvent", *map(str, arguments)])
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0
