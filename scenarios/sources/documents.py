"""Short documents of forms that a scenario writes down, and the JSON that says what they say."""

import json
from collections.abc import Callable, Sequence
from random import Random

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...memory.errors import PartError, suggest
from ...memory.parts import explain
from ...memory.records import Task
from ..forms import Document, Form, draw, meant, read, schema, size
from ..plain import fenced
from ..source import Settings, Source, identity

PATIENCE = 200
"""Documents tried per task wanted before a draw gives up: what is rarer than 1 in 200 comes back short."""


class Kind(BaseModel):
    """Which documents one skill has."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    forms: tuple[str, ...] = ()
    """Forms of its documents; the one that is called like the skill without any."""


class Documents(Source):
    """Documents by form, each with its JSON as the answer and a JSON Schema for the verifier.

    A task's key is what its document says, so that two ways of writing it are one task.
    """

    wants = Kind

    forms: dict[str, Form] = Field(min_length=1)
    """How documents are written and what they say, by form."""

    @property
    def prose(self) -> bool:
        """Two documents may look alike without saying the same."""
        return False

    def check(self, skill: str, settings: Settings) -> None:
        """Refuse forms that there are not."""
        for name in self._names(skill, settings):
            if name not in self.forms:
                raise PartError(
                    f"skills.{skill}.task: there is no form {name!r}{suggest(name, [*self.forms])}; write "
                    f"[source.forms.{name}] or name one of: {', '.join(self.forms)}"
                )

    def size(self, skill: str, settings: Settings) -> int:
        """Count what documents can say."""
        return sum(size(self.forms[name]) for name in self._names(skill, settings))

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
        """Draw distinct documents by rejection, none that can be read in two ways."""
        names, wanted, unwanted = self._names(skill, settings), set(having), set(lacking)
        tasks: dict[str, Task] = {}
        for _ in range(PATIENCE * count):
            if len(tasks) == count:
                break
            name = rng.choice(names)
            made = draw(name, self.forms[name], rng)
            if not (wanted <= made.features and unwanted.isdisjoint(made.features)):
                continue
            task = self._task(skill, made, made.said)
            if task.key not in tasks and allowed(task.key) and read(made.text, self.forms) == made:
                tasks[task.key] = task
        return list(tasks.values())

    def holds(self, key: str) -> bool:
        """Whether this is what a document says."""
        return any(key.startswith(f"{name}: ") for name in self.forms)

    def solve(self, task: Task) -> str | None:
        """Read the document gap by gap, where `draw` filled it in."""
        made = read(task.prompt, self.forms)
        return made.said if made else None

    def adopt(self, skill: str, settings: Settings, prompt: str, answer: str) -> Task:
        """Take a document that somebody else wrote: as it would be drawn, or in words of their own.

        In words of their own it is the same task as a drawn one that says the same.
        """
        names = self._names(skill, settings)
        if (made := read(prompt, self.forms)) is None:
            return self._own(skill, names, prompt, answer)
        if made.form not in names:
            raise ValueError(f"{prompt[:80]!r} is no task of skill {skill!r}")
        return self._task(skill, made, answer)

    def _own(self, skill: str, names: Sequence[str], prompt: str, answer: str) -> Task:
        """A document in words of their own, checked against its schema where there can be no doubt which."""
        plain = fenced(answer, "json")
        said = {name: meaning for name in names if (meaning := meant(plain, self.forms[name])) is not None}
        sure = next(iter(said), names[0] if len(names) == 1 else None)
        return Task(
            skill=skill,
            prompt=prompt,
            answer=answer,
            key=next((f"{name}: {meaning}" for name, meaning in said.items()), identity(prompt)),
            checks=json.dumps(schema(self.forms[sure])) if sure is not None else "",
        )

    def _names(self, skill: str, settings: Settings) -> tuple[str, ...]:
        """Forms of a skill."""
        try:
            kind = Kind.model_validate(dict(settings))
        except ValidationError as error:
            raise PartError(explain(error, where=f"skills.{skill}.task: source 'documents'", model=Kind)) from None
        return tuple(dict.fromkeys(kind.forms)) or (skill,)

    def _task(self, skill: str, made: Document, answer: str) -> Task:
        return Task(
            skill=skill,
            key=f"{made.form}: {made.said}",
            features=tuple(sorted(made.features)),
            prompt=made.text,
            answer=answer,
            checks=json.dumps(schema(self.forms[made.form])),
        )
