"""How a checkpoint answers."""

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

from ..memory.errors import PartError
from ..memory.finding import Finding
from ..memory.inference import Engine, Model, Role
from ..memory.parts import Part
from ..scenarios.schema import Student


class EnginePart(Part):
    """Base of every engine's settings; opening one gives something that answers."""

    kind: ClassVar[str] = "engine"
    serves: ClassVar[bool] = True
    """Whether the checkpoint it is given is what answers; where that is not so a student is probed and not taught."""

    @property
    def priced(self) -> bool:
        """Whether it says what its calls cost; a budget in money sees no others."""
        return False

    @abstractmethod
    def open(self, checkpoint: Path) -> Engine:
        """Serve a checkpoint.

        Raises:
            UnavailableError: the model is not there or cannot be loaded.
        """

    def serve(self, role: Role) -> Model:
        """Give the model that these settings name by themselves, to work in a role.

        Raises:
            PartError: this engine serves checkpoints only.
            UnavailableError: the model is not there.
        """
        raise PartError(f"engine {self.name!r} serves checkpoints, not a {role}; use 'openai' in [models.{role}]")

    def look(self, role: str, student: Student, *, rank: int) -> list[Finding]:
        """See whether it would work in a role, quickly and without loading anything; nothing to say by itself.

        Args:
            role: `student`, or what it is in `[models]`.
            student: whose checkpoints it would serve.
            rank: of the adapters that rounds train; 0 for full weights.
        """
        del role, student, rank
        return []
