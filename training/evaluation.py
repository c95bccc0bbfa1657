"""Somebody's own evaluation of a whole student: a program that reads its weights and scores it item by item.

It runs in a process of its own, by this Python or by one whose environment has what it needs, and leaves a line of JSON
an item: `{"id": …, "score": 0.0 to 1.0, "prompt": …}`, the prompt only so that nothing like it is trained on.
"""

import asyncio
import json
import os
import shutil
import sys
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from pydantic import Field

from ..memory.errors import EvolventError
from ..memory.files import file_digest, json_lines
from ..memory.parts import Part
from ..memory.secrets import Secrets
from . import checkpoint
from .launcher import find
from .lease import LEASE
from .serving import child
from .serving.host import resting

ITEMS, LOG = "items.jsonl", "log.txt"
"""What stays of a run."""
STUDENT, DONE = "student", "done"
"""What is there while it runs: the student, and that it ended well. Who scores it is noted down as who trains is, so
that whoever takes a run away ends both."""
SAID = 600
"""Characters of what it said last that an error shows."""


class Item(NamedTuple):
    """What a student got for one item."""

    id: str
    score: float
    """In [0, 1]."""
    prompt: str = ""


class Evaluation(Part):
    """Base of every evaluation."""

    kind: ClassVar[str] = "evaluation"
    package: ClassVar[str] = ""
    """What has to be installed, as it is imported; nothing where that is the program's own matter."""

    limit: int | None = Field(default=None, ge=1)
    """Items at most; without it all that there are."""
    seconds: float = Field(default=7200.0, gt=0, allow_inf_nan=False)
    """Time that one student may take."""
    python: str = ""
    """Python that has what it needs, such as `evals/bin/python`; without it the one that runs the session."""

    @abstractmethod
    def command(self, student: Path, out: Path, limit: int | None) -> list[str]:
        """Give what Python is asked to run.

        Args:
            student: folder of a student with all its weights, as transformers loads it.
            out: file that the items go to.
            limit: items at most.
        """

    @property
    def file(self) -> Path | None:
        """The user's own file or folder that it runs; none where everything is of an installed package."""
        return None

    def rests_on(self) -> Mapping[str, str]:
        """Digest of that file."""
        return {"path": file_digest(self.file)} if self.file and self.file.is_file() else {}

    def refusals(self, *, allowed: bool) -> list[str]:
        """Say why it cannot run here.

        Args:
            allowed: whether the scenario may run code of its own.
        """
        if (code := str(self.file or self.python)) and not allowed:
            return [f"would run {code!r}, which a scenario may not by itself; allow it with --allow-import"]
        if self.python and find(self.python) is None:
            return [f"there is no Python {self.python!r}; a path is relative to the scenario's folder"]
        if self.file and not self.file.exists():
            return [f"there is no {str(self.file)!r}; a path is relative to the scenario's folder"]
        if self.package and not self.python and find_spec(self.package) is None:
            return [
                f"{self.package} is not installed; try: pip install {self.package.replace('_', '-')}, or do so in an "
                "environment of its own and name its Python with the setting python"
            ]
        return []

    async def run(self, student: Path, folder: Path, *, where: str, limit: int | None = None) -> list[Item]:
        """Score a student, or wait for the process that does so already; items and log stay in the folder.

        Args:
            student: full weights or an adapter.
            folder: a folder of this run's own, empty or `left` by an earlier process.
            where: what the scenario calls it, for messages.
            limit: items at most, where that is fewer than the setting says.

        Raises:
            EvolventError: it failed, took too long, or left something else than items.
        """
        folder = folder.absolute()
        # it holds the student beside whatever serves students here
        async with resting():
            if not left(folder):
                self._start(student, folder, limit)
            in_time = await self._wait(folder)
        said = Secrets.here().redact((folder / LOG).read_text(errors="replace"))
        (folder / LOG).write_text(said)
        if not (folder / DONE).is_file():
            ended = "failed" if in_time else f"was not done after {self.seconds:g} s"
            raise EvolventError(f"{where} {ended}; its log {folder / LOG} ends with: {said.strip()[-SAID:]}")
        for name in (DONE, LEASE):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / STUDENT)
        return read(folder / ITEMS, where=where)

    def _start(self, student: Path, folder: Path, limit: int | None) -> None:
        checkpoint.copy(student, folder / STUDENT)
        limits = [most for most in (self.limit, limit) if most is not None]
        words = self.command(folder / STUDENT, folder / ITEMS, min(limits, default=None))
        program = [find(self.python or sys.executable) or sys.executable, *words]
        # nothing else tells items of a program that ended well from those of one that did not
        ended_well = [child.SHELL, "-c", '"$@" && : > "$0"', str(folder / DONE), *program]
        child.spawn(ended_well, folder / LEASE, folder / LOG, os.environ)

    async def _wait(self, folder: Path) -> bool:
        """Wait for the process to end, or end it with all that it started; say whether it ended in time."""
        process = child.read(folder / LEASE)
        if process is None:
            return True
        try:
            async with asyncio.timeout(self.seconds):
                await child.ended(process)
            return True
        except TimeoutError:
            return False


def left(folder: Path) -> bool:
    """Whether an earlier process left something to wait for in a folder: a process that goes on, or all the items.

    What a process that died leaves running is ended.
    """
    return (folder / DONE).is_file() or child.survivor(folder / LEASE) is not None


def read(path: Path, *, where: str) -> list[Item]:
    """Read items, sorted by what they are called.

    Raises:
        EvolventError: a line is none, two are called the same, or there are none.
    """
    items = dict[str, Item]()
    for number, line in enumerate(json_lines(path) if path.is_file() else (), start=1):
        if (item := _item(line)) is None or item.id in items:
            raise EvolventError(
                f"{where}: line {number} is {line[:80]!r}; every line has an id of its own and a score from 0 to 1, "
                'such as {"id": "7", "score": 1.0}'
            )
        items[item.id] = item
    if not items:
        raise EvolventError(f"{where} left no item at all")
    return [items[id] for id in sorted(items)]


def prompts(path: Path) -> Iterator[str]:
    """Give the prompts of items that were read before, without the empty ones."""
    for line in json_lines(path):
        if (item := _item(line)) is not None and item.prompt:
            yield item.prompt


def _item(line: str) -> Item | None:
    try:
        line.encode()
        said: Any = json.loads(line)
        score = float(said["score"])
        item = Item(str(said["id"]), score, str(said.get("prompt") or ""))
        item.id.encode()
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None
    fits = isfinite(score) and 0 <= score <= 1 and not isinstance(said["score"], str) and said["id"] is not None
    return item if fits else None
