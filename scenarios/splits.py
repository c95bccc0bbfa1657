"""Four disjoint splits by construction: which one a task belongs to is a function of its key alone.

A key, or what a source says its key has in common with others, is hashed to a number in [0, 1); each split owns an
interval of it and training gets the rest. Nothing can be in two splits, whoever wrote it and whenever, and no list of
held-out tasks has to be kept or passed around. The exam interval serves *select* for target skills and *guard* for
guard skills, which are different skills.
"""

import hashlib
from collections.abc import Callable, Container, Mapping
from random import Random
from types import MappingProxyType
from typing import Literal

from ..memory.records import Split, Task
from ..memory.trace import span
from .schema import Scenario, Skill
from .source import Source

Part = Literal["probe", "exam", "report", "train"]
Opened = Mapping[str, frozenset[str]]
"""Keys of tasks by skill."""
NOTHING: Opened = MappingProxyType({})
EXAMS: tuple[Split, ...] = ("select", "guard", "report")
"""Splits that hold the items of exams."""
SMALL = 5000
"""Tasks below which a skill is small: cheap to draw whole, and too few to trust averages."""


def place(key: str, salt: str) -> float:
    """Hash a key to [0, 1)."""
    value = hashlib.blake2b(f"{salt}\x00{key}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(value, "big") / 2**64


class Splits:
    """Draws tasks of a scenario so that no task serves two ends.

    Args:
        scenario: what is divided, and how.
        source: where tasks come from.
        seed: fixes what is drawn; membership is the same for every seed.
        opened: keys, by skill, of tasks that earlier sessions examined; no exam of this one holds them.
    """

    def __init__(self, scenario: Scenario, source: Source, seed: int, opened: Opened = NOTHING) -> None:
        self.scenario = scenario
        self.source = source
        self.seed = seed
        self.opened = opened
        shares = scenario.splits
        self._bounds = (shares.probe, shares.probe + shares.exam, shares.probe + shares.exam + shares.report)

    def part(self, key: str) -> Part:
        """Say what a task with this key may be used for."""
        where = place(self.source.group(key), self.scenario.name)
        probe, exam, report = self._bounds
        return "probe" if where < probe else "exam" if where < exam else "report" if where < report else "train"

    def owner(self, key: str) -> Part:
        """Say who owns a task that anybody may have written: one that the source cannot draw is in no exam."""
        return self.part(key) if self.source.holds(key) else "train"

    def only(self, part: Part) -> Callable[[str], bool]:
        """Predicate over keys: belongs to this part."""
        return lambda key: self.part(key) == part

    def small(self, skill: str) -> bool:
        """Whether a skill has so few tasks that all may be drawn, to count or to find what is left."""
        return self.source.size(skill, self.scenario.skills[skill].task) < SMALL

    def draw(
        self,
        skill: str,
        part: Part,
        count: int,
        *,
        stream: str,
        having: tuple[str, ...] = (),
        lacking: tuple[str, ...] = (),
        beside: Container[str] = (),
    ) -> list[Task]:
        """Draw distinct tasks of one skill from one part, none with a key in `beside`.

        `stream` names the purpose and fixes the draw: with the same stream, what is beside is passed over.
        """
        rng = Random(f"{self.seed}/{stream}/{skill}/{part}")
        settings = self.scenario.skills[skill].task
        own = self.only(part)

        def allowed(key: str) -> bool:
            return key not in beside and own(key)

        return self.source.draw(skill, settings, count, rng, allowed=allowed, having=having, lacking=lacking)

    def adopt(self, skill: str, prompt: str, answer: str) -> Task:
        """Make a task of what somebody else wrote.

        Raises:
            ValueError: it is no task of this skill.
        """
        return self.source.adopt(skill, self.scenario.skills[skill].task, prompt, answer)

    def items(self, split: Split, *, limit: int | None = None) -> list[Task]:
        """Items of an exam split, in a fixed order: select over targets, guard over guards, report over both.

        Probe items are drawn round by round and have no fixed list.
        """
        sizes = self.scenario.splits
        size = {"select": sizes.select, "report": sizes.sealed, "guard": sizes.guard}[split]
        size = min(size, limit) if limit else size
        part: Part = "report" if split == "report" else "exam"
        skills = {name for name, skill in self.scenario.skills.items() if _examined(skill, split)}
        with span("draw items", split=split, skills=len(skills)):
            return [
                task
                for name in sorted(skills)
                for task in self.draw(name, part, size, stream=split, beside=self.opened.get(name, ()))
            ]


def _examined(skill: Skill, split: Split) -> bool:
    return split == "report" or (split == "guard") == skill.guard
