"""Skills that the teacher found where the scenario names none, as a table of the report and of a session's page."""

from collections.abc import Mapping, Sequence
from typing import Any

from .markup import NOTHING, code, fold, safe, section, table

LEAD = (
    "The scenario names no skills. The teacher labelled a sample of the tasks, grouped the labels, and sorted every "
    "task by its prompt alone; it saw no reference. What was too small to be examined went in with the rest."
)
HEAD = ("skill", "which tasks", "tasks", "sorted here", "went in with it")


def discovered(found: Sequence[Mapping[str, Any]], told: Mapping[str, Any] | None = None) -> str:
    """Give a section; nothing where no skill was found.

    Args:
        found: by skill its `skill`, `description`, `tasks`, `sorted` and `merged`.
        told: how often which label was given (`labels`), and a prompt of each step (`prompts`).
    """
    if not found:
        return ""
    rows = [
        [
            safe(one["skill"]),
            safe(one["description"]),
            f"{one['tasks']:,}",
            f"{one['sorted']:,}",
            ", ".join(map(safe, one["merged"])) or NOTHING,
        ]
        for one in found
    ]
    shown = table("Skills that were found", HEAD, rows, kind="texts")
    return section("found", "Skills that were found", LEAD, shown, _told(told or {}))


def _told(told: Mapping[str, Any]) -> str:
    """Labels and prompts, one click away."""
    labels = [[safe(label), f"{count:,}"] for label, count in told.get("labels", {}).items()]
    prompts = [[safe(step), code(prompt)] for step, prompt in told.get("prompts", {}).items()]
    folded = fold("labels of the sample", table("Labels", ["label", "tasks"], labels, kind="figures slim"))
    asked = fold("a prompt of each step", table("Prompts", ["step", "prompt"], prompts, kind="texts"))
    return f"{folded if labels else ''}{asked if prompts else ''}"
