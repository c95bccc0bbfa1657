"""Verifiers made of verifiers, each named with its settings as a scenario names one."""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Self

from pydantic import Field, model_validator

from ..memory.errors import PartError
from ..memory.inference import NOBODY, Models, Role
from ..memory.parts import PartSpec, load
from ..memory.records import Task, Verdict
from .verifier import Verifier

PACKAGE = f"{__package__}.verifiers"
SHOWN = 500
"""Characters of a reason."""


class Combination(Verifier):
    """Base of verifiers that ask several others and say what follows."""

    parts: tuple[PartSpec, ...] = Field(min_length=1, max_length=16)
    """The verifiers, by name or as tables with `name` and settings; combinations may be among them."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        try:
            _ = self.verifiers
        except PartError as error:
            raise ValueError(str(error)) from None
        return self

    @cached_property
    def verifiers(self) -> Sequence[Verifier]:
        """The parts, built."""
        return [
            load(spec, base=Verifier, package=PACKAGE, where=f"parts.{place}") for place, spec in enumerate(self.parts)
        ]

    @abstractmethod
    def combine(self, verdicts: Sequence[Verdict]) -> Verdict:
        """Say what follows from what every part says, in order."""

    def judge(self, task: Task, answer: str) -> Verdict:
        """Ask every part."""
        return self.combine([part.judge(task, answer) for part in self.verifiers])

    async def judged(self, tasks: Sequence[Task], answers: Sequence[str], *, models: Models = NOBODY) -> list[Verdict]:
        """Ask every part about all answers."""
        said = [await part.judged(tasks, answers, models=models) for part in self.verifiers]
        return [self.combine(verdicts) for verdicts in zip(*said, strict=True)]

    def check(self, skills: Collection[str]) -> None:
        """Refuse what a part refuses."""
        for part in self.verifiers:
            part.check(skills)

    @property
    def asks(self) -> frozenset[Role]:
        """Models that its parts ask."""
        return frozenset[Role]().union(*(part.asks for part in self.verifiers))

    def panel(self, *, turned: bool = False) -> Mapping[str, Verifier]:
        """Judges that its parts ask."""
        return {
            f"{name} of part {i}": judge
            for i, part in enumerate(self.verifiers)
            for name, judge in part.panel(turned=turned).items()
        }

    def say(self, score: float, verdicts: Sequence[Verdict]) -> Verdict:
        """Give a score with the parts' reasons, each under its name."""
        said = [
            f"{part.name} {verdict.score:.3g}{f' ({verdict.reason})' if verdict.reason else ''}"
            for part, verdict in zip(self.verifiers, verdicts, strict=True)
        ]
        return Verdict(score=score, reason="; ".join(said)[:SHOWN])

    def rests_on(self) -> Mapping[str, str]:
        """Digests of what its parts read."""
        return {
            f"{name} of part {i}": d for i, part in enumerate(self.verifiers) for name, d in part.rests_on().items()
        }
