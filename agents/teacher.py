"""Who finds out why the student fails, and writes what it learns from."""

from abc import abstractmethod
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from ..memory.auditions import Audition
from ..memory.debates import Turn
from ..memory.inference import NOBODY, Models, Role
from ..memory.parts import Part
from ..memory.records import Attempt, Sample, Share, Weakness
from ..scenarios.splits import Splits
from .judging.golden import Item
from .operating import NOTHING, Material
from .operator import Portioned
from .prober.bench import Bench
from .sorting import REST, Discovery, Found


class Opinion(NamedTuple):
    """What judges decided of one sample, and why."""

    accepted: bool
    reason: str
    turns: tuple[Turn, ...] = ()
    """What was said, where judges who disagreed talked about it."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A guess at what failures share, before it is tested."""

    skill: str
    words: str
    rule: tuple[str, ...]
    failures: tuple[str, ...]
    """Ids of the failing attempts it explains."""
    foreseen: float
    """Pass rate it expects on fresh tasks under its rule."""
    p_value: float


class Teacher(Part):
    """Base of every teacher."""

    kind: ClassVar[str] = "teacher"
    asks: ClassVar[tuple[Role, ...]] = ()
    """Roles of the models it cannot do without."""

    likens: ClassVar[bool] = False
    """Whether it chooses by likeness to failures, and so needs them and the memory's vectors to write."""

    @abstractmethod
    async def diagnose(
        self, skill: str, attempts: Sequence[Attempt], elsewhere: Sequence[Attempt], splits: Splits, *,
        models: Models = NOBODY,
    ) -> list[Hypothesis]:  # fmt: skip
        """Explain the failures of one skill, surest first; the first few are tested.

        Args:
            skill: the skill.
            attempts: this round's attempts at it, right and wrong.
            elsewhere: right answers to other skills, for contrast.
            splits: knows the source and its vocabulary.
            models: who may be asked, by role; all that `asks` names are there.
        """

    def warnings(self, splits: Splits) -> list[str]:
        """What a person should know before a session, of what it teaches with."""
        del splits
        return []

    @property
    def finds(self) -> Discovery | None:
        """How it finds skills where a scenario names none; None where it cannot."""
        return None

    async def discover(self, tasks: Mapping[str, str], sample: Sequence[str], *, models: Models = NOBODY) -> Found:
        """Find skills in tasks, and sort every task into one of them by its prompt.

        Args:
            tasks: prompts by key.
            sample: keys of the tasks that skills are read off.
            models: as in `diagnose`.
        """
        del sample, models
        return Found((), dict.fromkeys(tasks, REST), {}, {})

    @property
    def explores(self) -> bool:
        """Whether it probes on its own account."""
        return False

    async def explore(
        self, attempts: Sequence[Attempt], bench: Bench, *, models: Models = NOBODY
    ) -> list[Hypothesis]:  # fmt: skip
        """Look further into one skill that failed, with probes of its own.

        Args:
            attempts: this round's probes of the skill, right and wrong.
            bench: the student, the memory and the verifier; what it asked stays there.
            models: as in `diagnose`.
        """
        del attempts, bench, models
        return []

    @property
    def mix(self) -> Sequence[Portioned]:
        """Operators that it makes samples with, as a scenario names them; without any it writes in its own way."""
        return ()

    @abstractmethod
    async def write(
        self, share: Share, weakness: Weakness | None, count: int, splits: Splits, *, attempt: int,
        beside: Container[str] = (), material: Material = NOTHING, models: Models = NOBODY,
    ) -> list[Sample]:  # fmt: skip
        """Write training samples for one share of the budget.

        Args:
            share: which skill or weakness they are for.
            weakness: the weakness, if the share has one.
            count: how many; fewer may come back.
            splits: draws tasks that belong to no exam.
            attempt: 1 for the first try, higher when critique rejected some.
            beside: keys of tasks that are there already; whoever can tell writes others.
            material: its operators, and failing items that they may start from.
            models: as in `diagnose`.
        """

    def refuse(self, sample: Sample, splits: Splits) -> str | None:
        """Say why a sample of its own cannot be used whatever anybody thinks of it, or None."""
        del sample, splits
        return None

    @property
    def judges(self) -> Collection[str]:
        """Names of its judges; without any it has no opinion."""
        return ()

    async def audition(self, items: Sequence[Item], *, models: Models = NOBODY) -> list[Audition]:
        """Try every judge on answers whose verdict is known."""
        del items, models
        return []

    async def judge(
        self, samples: Sequence[Sample], *, sound: Collection[str] = (), models: Models = NOBODY
    ) -> list[Opinion | None]:
        """Say of each sample that no verifier can decide whether it may be taught; None without an opinion.

        Args:
            samples: what is judged.
            sound: judges that passed their audition; the others are not heard.
            models: as in `diagnose`.
        """
        del sound, models
        return [None] * len(samples)

    async def repair(
        self, refused: Sequence[tuple[Sample, str]], splits: Splits, *, models: Models = NOBODY
    ) -> list[Sample | None]:
        """Write samples again for which it was said what is wrong with them; None for one that stays as it is."""
        del splits, models
        return [None] * len(refused)
