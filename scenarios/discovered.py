"""A source whose tasks were sorted into skills after the scenario was written.

Which skill a task has is a function of its key, as the split is; so nothing else changes, and a task that somebody
else writes belongs to the skill it was written for.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from pydantic import SerializeAsAny

from ..memory.errors import PartError
from ..memory.records import Task
from .schema import WHOLE
from .source import Settings, Source


class Discovered(Source):
    """Another source, all of whose tasks are of one skill to it, told apart by labels."""

    wants = None

    inner: SerializeAsAny[Source]
    """Where the tasks come from."""
    labels: Mapping[str, str]
    """Skills by the keys of tasks."""
    settings: Settings
    """Of the one skill that the inner source knows."""

    @property
    def name(self) -> str:
        """The inner source's, since that is what a scenario names."""
        return self.inner.name

    @property
    def prose(self) -> bool:
        """Whether tasks are prose."""
        return self.inner.prose

    def describe(self) -> dict[str, Any]:
        """The inner source's name and settings."""
        return self.inner.describe()

    def remarks(self) -> Sequence[str]:
        """What the inner source says of itself."""
        return self.inner.remarks()

    def check(self, skill: str, settings: Settings) -> None:
        """Refuse a skill into which nothing was sorted."""
        del settings
        if skill not in self.labels.values():
            raise PartError(f"skills.{skill}: no task was sorted into it")

    def size(self, skill: str, settings: Settings) -> int:
        """Count the tasks of a skill."""
        del settings
        return sum(label == skill for label in self.labels.values())

    def draw(
        self,
        skill: str,
        settings: Settings,
        count: int,
        rng: Random,
        *,
        allowed: Callable[[str], bool],
        having: Sequence[str] = (),
        lacking: Sequence[str] = (),
    ) -> list[Task]:
        """Draw from the inner source what was sorted into the skill."""
        del settings

        def own(key: str) -> bool:
            return self.labels.get(key) == skill and allowed(key)

        drawn = self.inner.draw(WHOLE, self.settings, count, rng, allowed=own, having=having, lacking=lacking)
        return [task.model_copy(update={"skill": skill}) for task in drawn]

    def group(self, key: str) -> str:
        """What the inner source says."""
        return self.inner.group(key)

    def holds(self, key: str) -> bool:
        """Whether the inner source has it."""
        return self.inner.holds(key)

    def solve(self, task: Task) -> str | None:
        """Work it as the inner source does."""
        return self.inner.solve(task)

    def overlap(self, part: Callable[[str], object]) -> str | None:
        """What the inner source says."""
        return self.inner.overlap(part)

    def document(self, key: str) -> str:
        """What the inner source has for a teacher to read."""
        return self.inner.document(key)

    def adopt(self, skill: str, settings: Settings, prompt: str, answer: str) -> Task:
        """Take what somebody wrote for this skill."""
        del settings
        return self.inner.adopt(WHOLE, self.settings, prompt, answer).model_copy(update={"skill": skill})

    def phrase(self, rule: Sequence[str]) -> str:
        """Say features in the inner source's words."""
        return self.inner.phrase(rule)

    def fingerprint(self) -> str:
        """Digest of what the tasks come from."""
        return self.inner.fingerprint()
