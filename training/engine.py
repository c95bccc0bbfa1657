"""How a checkpoint answers."""

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

from ..memory.inference import Engine
from ..memory.parts import Part


class EnginePart(Part):
    """Base of every engine's settings; opening one gives something that answers."""

    kind: ClassVar[str] = "engine"
    serves: ClassVar[bool] = True
    """Whether the checkpoint it is given is what answers; one for which that is not so can be no student."""

    @abstractmethod
    def open(self, checkpoint: Path) -> Engine:
        """Serve a checkpoint.

        Raises:
            UnavailableError: the model is not there or cannot be loaded.
        """
