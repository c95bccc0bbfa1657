"""Tasks of the package reasoning-gym, any of them by name (`pip install 'evolvent[reasoning]'`).

Verifier `reasoning_gym` scores answers as the package does; it makes a task again from what the task carries.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ...memory.errors import PartError
from ...memory.files import canonical, digest
from ...memory.parts import explain
from ...memory.records import Task
from .. import gym, scores
from ..features import seen
from ..source import Settings, Source

PATIENCE = 400
"""Items looked at per task wanted before a draw gives up: rarer features than 1 in 400 come back short."""


class Kind(BaseModel):
    """What one skill asks."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str = ""
    """Name of the task, as the package has it; the skill's own name by default."""
    level: int | None = Field(default=None, ge=0)
    """Level of everything in its curriculum, 0 the easiest; without one the task's own defaults hold."""
    levels: dict[str, int] = {}
    """Levels of single things in its curriculum."""
    config: dict[str, Any] = {}
    """Settings of the task, under the package's names."""
    items: int = Field(default=20_000, ge=64, le=10_000_000)
    """How many items the package is asked for; some tasks make all of them at once."""


class ReasoningGym(Source):
    """Items of procedural tasks, with levels."""

    @model_validator(mode="after")
    def _installed(self) -> Self:
        if not gym.installed():
            raise ValueError(gym.MISSING)
        return self

    @property
    def prose(self) -> bool:
        """Two items may look alike without being the same."""
        return False

    def check(self, skill: str, settings: Settings) -> None:
        """Refuse what the package does not make, and what has no answers to learn from."""
        made = self._recipe(skill, settings)
        try:
            fault = scores.fault(made)
        except PartError as error:
            raise PartError(f"skills.{skill}.task: {error}") from None
        if fault:
            raise PartError(f"skills.{skill}.task: task {made.task!r} of reasoning-gym {fault}; take another")

    def size(self, skill: str, settings: Settings) -> int:
        """Count distinct questions: exactly where they are few, and at least so many where not."""
        return gym.traits(self._recipe(skill, settings)).questions

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
        """Draw distinct items in an order of chance."""
        made = self._recipe(skill, settings)
        traits, wanted, unwanted = gym.traits(made), set(having), set(lacking)
        tasks: dict[str, Task] = {}
        for number in rng.sample(range(made.items), min(made.items, PATIENCE * count)):
            if len(tasks) == count:
                break
            item = gym.item(made, number)
            if item.key in tasks or not item.answer or not allowed(item.key):
                continue
            features = traits.of(item)
            if wanted <= features and unwanted.isdisjoint(features):
                tasks[item.key] = Task(
                    skill=skill,
                    key=item.key,
                    prompt=item.question,
                    answer=item.answer,
                    features=tuple(sorted(features)),
                    checks=scores.checks(made, number),
                )
        return list(tasks.values())

    def solve(self, task: Task) -> str | None:
        """Have the package make the item again; None for tasks that somebody else wrote."""
        if not task.checks:
            return None
        item = gym.item(*scores.recipe(task.checks))
        return item.answer if item.question == task.prompt else None

    def adopt(self, skill: str, settings: Settings, prompt: str, answer: str) -> Task:
        """Take a task that somebody else wrote; its answers are compared as texts, as there is no scorer for it."""
        traits = gym.traits(self._recipe(skill, settings))
        features = tuple(sorted(seen(prompt, traits.words)))
        return Task(skill=skill, key=gym.key(prompt), prompt=prompt, answer=answer, features=features)

    def phrase(self, rule: Sequence[str]) -> str:
        """Say features in words, as they are."""
        return " and ".join(rule) or "the whole skill"

    def fingerprint(self) -> str:
        """Digest of the package's version, which makes the tasks."""
        from importlib.metadata import version

        return digest({"reasoning-gym": version("reasoning-gym")})

    def _recipe(self, skill: str, settings: Settings) -> gym.Recipe:
        try:
            kind = Kind.model_validate(dict(settings))
        except ValidationError as error:
            raise PartError(explain(error, where=f"skills.{skill}.task: source {self.name!r}", model=Kind)) from None
        levels = tuple(sorted(kind.levels.items()))
        return gym.Recipe(kind.name or skill, kind.items, kind.level, levels, canonical(kind.config))
