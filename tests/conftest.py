"""Settings of every test: no clock decides, the same examples come each time, and what is not installed is said."""

from importlib.util import find_spec

import pytest
from hypothesis import settings

from .memory.viewer.browsing import chromium

settings.register_profile("evolvent", deadline=None, derandomize=True)
settings.load_profile("evolvent")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave tests of the real vLLM and of a real browser out where it is not installed."""
    missing = {"vllm": "vLLM is not installed; try: make vllm"} if find_spec("vllm") is None else {}
    if chromium() is None:
        missing["browser"] = "Chromium is not installed; try: make browser"
    for item in items:
        for marker in missing.keys() & item.keywords:
            item.add_marker(pytest.mark.skip(reason=missing[marker]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say behind which walls hostile code was tried, where it was."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    if any("test_escapes" in report.nodeid or "test_sandbox" in report.nodeid for report in reports):
        from .scenarios.boxes import held

        terminalreporter.write_line(f"sandbox: {held()}")
