"""Who watches a session: a terminal, a program, or nobody."""

from collections.abc import Mapping
from typing import Any, Protocol


class Watcher(Protocol):
    """Gets told what happens, as it happens."""

    def on(self, event: str, facts: Mapping[str, Any]) -> None:
        """Take one event."""
        ...


class Nobody:
    """Watches nothing."""

    def on(self, event: str, facts: Mapping[str, Any]) -> None:
        """Ignore it."""
