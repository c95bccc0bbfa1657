"""A task of EleutherAI's lm-evaluation-harness, by name."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from ...memory.files import digest, file_digest
from ..evaluation import Evaluation

SCRIPT = Path(__file__).parents[1] / "harnesses" / "lm.py"
DEFINES = (".yaml", ".yml", ".py")
"""Suffixes of files that say what a task is."""


class LmEval(Evaluation):
    """A task or group of lm-eval with a score per item, generated or by likelihood (`pip install lm-eval`).

    Source: Gao et al., *The Language Model Evaluation Harness*, https://github.com/EleutherAI/lm-evaluation-harness.
    """

    package: ClassVar[str] = "lm_eval"

    limit: int | None = Field(default=None, ge=1)
    """Items of every task at most; without it all that there are."""
    task: str = Field(min_length=1)
    """Name of the task or group."""
    path: str = ""
    """Folder of tasks of your own, beside those that lm-eval has."""
    metric: str = ""
    """Which of its metrics is the score; without it the first of each task."""
    shots: int | None = Field(default=None, ge=0)
    """Solved examples before every item; without it as the task says."""
    batch: int = Field(default=16, ge=1)
    """Items at a time."""
    chat: bool = False
    """Ask through the student's chat template, which students that are spoken to need."""

    @property
    def file(self) -> Path | None:
        """A folder of own tasks, which may name functions."""
        return Path(self.path) if self.path else None

    def rests_on(self) -> Mapping[str, str]:
        """Digest of what defines own tasks; what they read beside is not looked at."""
        found = sorted(path for path in Path(self.path).rglob("*") if path.suffix in DEFINES) if self.path else []
        known = [[path.relative_to(self.path).as_posix(), file_digest(path)] for path in found if path.is_file()]
        return {"path": digest(known)} if known else {}

    def command(self, student: Path, out: Path, limit: int | None) -> list[str]:
        """The harness and what it is asked."""
        settings = {**self.model_dump(include={"task", "path", "metric", "shots", "batch", "chat"}), "limit": limit}
        return ["-P", str(SCRIPT), str(student), str(out), json.dumps(settings)]
