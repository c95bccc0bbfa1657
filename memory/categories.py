"""The record of a skill that a teacher found where a scenario named none."""

from typing import ClassVar

from .records import Record


class Category(Record):
    """One skill, and the tasks that were sorted into it by their prompts alone."""

    kind: ClassVar[str] = "category"
    filed = (None, "skill")

    skill: str
    description: str
    """Which tasks belong to it, in the teacher's words."""
    rest: bool
    """Whether it holds what fits no category."""
    sorted: int
    """Tasks that the teacher put here; the others came with a category that was too small."""
    merged: tuple[str, ...]
    """Categories that were too small to be examined and went into this one."""
    keys: tuple[str, ...]
    """Of all its tasks, sorted."""
