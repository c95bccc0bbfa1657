"""What a run's folder says of itself: what it was begun with, and where."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..memory import files
from ..memory.errors import RunError
from ..memory.records import Session
from ..scenarios.loader import parse
from ..scenarios.schema import Scenario
from ..scenarios.splits import NOTHING, Opened

RESOLVED = "scenario.resolved.json"
"""The scenario with every default written out; only its budget may change under a run."""
EARLIER = "earlier"
"""Folder of what an earlier run left to this one."""
OPENED = "opened.json"
"""File in it that lists what the sessions before have examined."""


def begun(run: Path) -> tuple[Scenario, Session]:
    """What a run was begun with, and the skills that were found since where none was named.

    Raises:
        RunError: not a run, damaged, or changed since.
    """
    scenario, _, session = _stored(run)
    return scenario, session


def written(run: Path) -> tuple[Scenario, Session]:
    """What a run was begun with, as it was written.

    Raises:
        RunError: as in `begun`.
    """
    _, scenario, session = _stored(run)
    return scenario, session


def _stored(run: Path) -> tuple[Scenario, Scenario, Session]:
    """The scenario as it is and as it was written, and the session."""
    try:
        stored = json.loads((run / RESOLVED).read_text())
        now, first = stored["scenario"], stored.get("written", stored["scenario"])
        session = Session.model_validate(json.loads((run / "session.json").read_text())["session"])
    except FileNotFoundError:
        raise RunError(f"{run}: not a run of evolvent; `evolvent runs list` shows the ones there are") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(
            f"{run}: session.json or scenario.resolved.json is damaged ({reason}); restore it from a copy"
        ) from None
    scenario, original = (parse(value, where=str(run / RESOLVED)) for value in (now, first))
    if original.hash != session.scenario:
        raise RunError(
            f"{run / 'scenario.resolved.json'}: the scenario changed since this run began; "
            "undo the change, or start a new run with `evolvent run`"
        )
    return scenario, original, session


def before(session: Session) -> Mapping[str, Any]:
    """The run a session goes on from: `run`, `dir`, `session`, `student`, `samples` and `opened`; empty without one."""
    return session.settings.get("from", {})


def opened(run: Path, session: Session) -> Opened:
    """Keys, by skill, of the tasks that the sessions before this one have examined.

    Raises:
        RunError: the list is damaged.
    """
    if not before(session):
        return NOTHING
    path = run / EARLIER / OPENED
    try:
        found = json.loads(path.read_text())
        if files.digest(found) != before(session)["opened"]:
            raise ValueError("it changed since this run began")
        return {skill: frozenset(keys) for skill, keys in found.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise RunError(f"{path}: cannot be read ({error}); restore it from a copy") from None


def resolved(scenario: Scenario, parts: dict[str, Any]) -> dict[str, Any]:
    """A scenario with every default written out."""
    return {"scenario": scenario.model_dump(mode="json"), "parts": parts, "hash": scenario.hash}


def environment() -> dict[str, Any]:
    """What the session runs on."""
    import platform
    from importlib.metadata import version

    learning = ("torch", "transformers", "trl", "peft", "datasets")
    names = ("evolvent", *learning, "langgraph", "chromadb", "pydantic", "numpy")
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "packages": {name: version(name) for name in names},
    }
