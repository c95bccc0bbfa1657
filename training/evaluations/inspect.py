"""A task of Inspect, by its file or its name."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from ..evaluation import Evaluation

SCRIPT = Path(__file__).parents[1] / "harnesses" / "inspection.py"
INSTALLED = re.compile(r"(?!hf/)[\w-]+/[\w-]+")
"""Names of tasks that packages bring; anything else Inspect would look for among files, or on the hub."""


class Inspect(Evaluation):
    """A task that Inspect runs with the student as its model (`pip install inspect-ai`, best with a Python of its own).

    Source: UK AI Security Institute, https://inspect.aisi.org.uk.
    """

    package: ClassVar[str] = "inspect_ai"

    path: str = ""
    """File that holds the task, or several: `evals.py@mine` is the one called so."""
    task: str = ""
    """Name of an installed task instead, such as `inspect_evals/arc_easy`."""
    arguments: Mapping[str, Any] = Field(default={})
    """What the task is given."""
    metric: str = ""
    """Which of its scorers is the score; without it the first."""
    batch: int = Field(default=16, ge=1)
    """Items at a time."""
    longest: int = Field(default=256, ge=1)
    """Tokens of an answer at most, where the task says nothing."""

    @property
    def file(self) -> Path | None:
        """The file without the name of the task."""
        place = Path(self.path)
        return place.parent / place.name.partition("@")[0] if self.path else None

    def refusals(self, *, allowed: bool) -> list[str]:
        """As for every evaluation; and it is one task."""
        if bool(self.path) == bool(self.task):
            return ["needs either path, a file with the task, or task, the name of an installed one"]
        if self.task and not INSTALLED.fullmatch(self.task):
            return [
                f"{self.task!r} is no task; the name of an installed task is PACKAGE/TASK, a file is said with path"
            ]
        return super().refusals(allowed=allowed)

    def command(self, student: Path, out: Path, limit: int | None) -> list[str]:
        """The harness and what it is asked."""
        said = self.model_dump(include={"metric", "batch", "longest"})
        settings = {**said, "path": self.path, "task": self.task, "given": self.arguments, "limit": limit}
        return ["-P", str(SCRIPT), str(student), str(out), json.dumps(settings)]
