"""How a student is spoken to and run, kept beside its weights, so that whoever opens a checkpoint does the same.

An embedded student has no such file: it is spoken to as its template says and nothing else.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ..memory.errors import UnavailableError
from ..memory.files import write_json
from ..scenarios.student import Dtype, Student

MANNER = "manner.json"
WEIGHTS = (".safetensors", ".safetensors.index.json")
"""How the names of files with weights end."""
OWN = frozenset({"config.json", "COMPLETE.json", ".effect"})
"""Files that every checkpoint has for itself."""


class Manner(BaseModel):
    """What a scenario says of its student's ways; see `Student` for each."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    system: str = ""
    """What it is told before every question."""
    template: Mapping[str, Any] = {}
    """More arguments of its chat template."""
    stop: tuple[str, ...] = ()
    """Tokens or texts that end an answer."""
    reasoning: tuple[str, str] | None = None
    """What stands before and after its reasoning."""
    longest: int = 0
    """Tokens an answer may have; 0 when that follows from the references."""
    dtype: Dtype = "float32"
    """What it computes in, in this process."""

    @classmethod
    def of(cls, student: Student) -> "Manner":
        """The ways a scenario asks for."""
        return cls.model_validate(student.model_dump(include=set(cls.model_fields)))

    @classmethod
    def read(cls, folder: Path) -> "Manner":
        """The ways of a checkpoint with full weights; those of an embedded student where nothing is said.

        Raises:
            UnavailableError: the file is damaged.
        """
        try:
            return cls.model_validate_json((folder / MANNER).read_bytes())
        except FileNotFoundError:
            return cls()
        except (OSError, ValidationError) as error:
            reason = str(error).splitlines()[0]
            raise UnavailableError(f"{folder / MANNER}: cannot be read ({reason}); restore it from a copy") from None

    def write(self, folder: Path) -> None:
        """Keep it beside the weights."""
        write_json(folder / MANNER, self.model_dump(mode="json"))


def carry(start: Path, folder: Path) -> bool:
    """Give a checkpoint what its start has beside weights, letter by letter; say whether there was anything.

    Saved again, a tokenizer holds what its last user set, and a server would take it for another.

    Args:
        start: full weights that the training began with.
        folder: full weights that came of it.
    """
    if not (start / MANNER).is_file():
        return False
    for path in start.iterdir():
        if path.is_file() and path.name not in OWN and not path.name.endswith(WEIGHTS):
            shutil.copyfile(path, folder / path.name)
    return True
