"""Where tasks come from.

A source knows what makes two tasks the same (the key), what is true of a task (its features) and how many distinct
tasks a skill has. It never knows about splits: membership is a function of the key, see `splits.py`.
"""

import hashlib
import unicodedata
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, ClassVar

from pydantic import BaseModel

from ..memory.parts import Part
from ..memory.records import Task
from .text import normal

Settings = Mapping[str, Any]
"""What a scenario says about one skill, in the source's own terms."""


class Source(Part):
    """Base of every source."""

    kind: ClassVar[str] = "source"
    wants: ClassVar[type[BaseModel] | None] = None
    """What a scenario may say of a skill in `task`; None where the source alone knows."""

    @abstractmethod
    def check(self, skill: str, settings: Settings) -> None:
        """Refuse settings that describe no task.

        Raises:
            PartError: naming the setting and the way out.
        """

    @abstractmethod
    def size(self, skill: str, settings: Settings) -> int:
        """Count the distinct tasks of a skill; a lower bound is enough above a million."""

    @abstractmethod
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
        """Draw distinct tasks at random.

        Args:
            skill: name of the skill.
            settings: its settings.
            count: how many; fewer come back when the skill has no more.
            rng: the only source of chance.
            allowed: says whether a task with this key may be drawn.
            having: features every task must have.
            lacking: features no task may have.
        """

    def holds(self, key: str) -> bool:
        """Whether a task with this key could be drawn here; where not, no exam can hold it."""
        del key
        return True

    def group(self, key: str) -> str:
        """What the tasks of one split share beside their key, such as the question or the document they are about."""
        return key

    def solve(self, task: Task) -> str | None:
        """Answer a task by another way than the one that wrote it; None where there is no other way."""
        del task
        return None

    def overlap(self, part: Callable[[str], object]) -> str | None:
        """Say which question stands in two splits under different keys, or None; `part` gives the split of a key."""
        del part
        return None

    def document(self, key: str) -> str:
        """What a teacher may read of a task and the student does not see, such as a passage; empty without any."""
        del key
        return ""

    def remarks(self) -> Sequence[str]:
        """What people should know of where the tasks come from, one sentence each, such as what was left out."""
        return ()

    def adopt(self, skill: str, settings: Settings, prompt: str, answer: str) -> Task:
        """Make a task of what somebody else wrote, with the key and features it would have if it were drawn here.

        Raises:
            ValueError: it is no task of this skill; the message is the reason to keep beside it.
        """
        del settings
        return Task(skill=skill, prompt=prompt, answer=answer, key=identity(prompt))

    def phrase(self, rule: Sequence[str]) -> str:
        """Say in words what tasks with these features have in common."""
        return " and ".join(rule)

    def fingerprint(self) -> str:
        """Digest of what the tasks come from, beyond the settings; a run is not resumed when it changed."""
        return ""

    @property
    def prose(self) -> bool:
        """Whether tasks are prose, so that sharing n-grams with an exam item is a leak; in a procedural source the key
        is the identity and near tasks are harmless.
        """
        return True


def identity(prompt: str) -> str:
    """Hash a prompt regardless of case, spacing and compatible forms of characters."""
    text = " ".join(unicodedata.normalize("NFKC", prompt).casefold().split())
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def same(prompt: str, *, prose: bool) -> str:
    """Hash a prompt as `identity` does, and prose regardless of punctuation as well."""
    return identity((normal(prompt) if prose else "") or prompt)
