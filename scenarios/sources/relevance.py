"""Tasks from a collection that is searched: does this document answer this question."""

from pathlib import Path

from pydantic import Field, field_validator

from ...memory.errors import PartError
from ...memory.files import digest, file_digest
from ...memory.records import Task
from ..collection import collect
from ..relevance import STEPS
from ..relevance import Relevance as Reading
from ..rows import Columns, Reader
from ..source import Settings, identity
from ..tabular import Filed


class Relevance(Filed):
    """Documents that BM25 puts first for a question, and whether they answer it: `yes` or `no`, as people judged.

    A document without a judgement answers nothing. All tasks of a question are in one split. A skill may take those
    pairs that are `near`, among the first ten: `task = { where = { near = true } }`.
    """

    questions: str
    """File of the questions, in the folder of the documents unless it is an absolute path."""
    judgements: str
    """File of the judgements, in the folder of the documents unless it is an absolute path."""
    by_place: bool = False
    """Whether judgements name a question by its place in its file, from 1, as Cranfield's do, and not by its number."""
    depth: int = Field(default=50, ge=1, le=STEPS)
    """Documents of BM25's order that are looked at."""
    negatives: int = Field(default=1, ge=0)
    """Documents that do not answer, for each that does, drawn from those looked at; 0 takes all."""
    grade: int = 1
    """The lowest grade with which a document answers a question."""
    figures: bool = False
    """Whether a task shows figures of what question and document share, 00 to 99, instead of their texts."""
    skill: str = ""
    """Column that names the skill; empty when every skill takes its pairs by `where` alone."""
    procedural: bool = True
    """Whether tasks may look alike without being the same, as questions to one document do."""

    @field_validator("key")
    @classmethod
    def _own_key(cls, key: str) -> str:
        if key:
            raise ValueError("a pair is known by its question and its document; leave key away")
        return key

    @property
    def reader(self) -> Reader:
        """How the pairs are read."""
        questions, judgements = self._beside()
        return Reading(
            str(questions),
            str(judgements),
            changed=max(path.stat().st_mtime_ns for path in (questions, judgements)),
            by_place=self.by_place,
            depth=self.depth,
            negatives=self.negatives,
            grade=self.grade,
            figures=self.figures,
        )

    def columns(self) -> Columns:
        """Say which column holds what."""
        return Columns(
            prompt="prompt",
            answer="answer",
            skill=self.skill,
            key="pair",
            prose=self.prose,
            document=self.context,
            messages="",
            tools="",
            checks=self.checks,
        )

    def group(self, key: str) -> str:
        """The question, whose tasks are all in one split."""
        return key.partition("/")[0]

    def adopt(self, skill: str, settings: Settings, prompt: str, answer: str) -> Task:
        """Take a pair that somebody else wrote: with a question of the collection it is in the split of that one."""
        task = super().adopt(skill, settings, prompt, answer)
        first, _, rest = prompt.partition("\n")
        if self.holds(task.key) or not rest:
            return task
        return task.model_copy(update={"key": f"{identity(first.removeprefix('Question: '))}/{identity(rest)}"})

    def holds(self, key: str) -> bool:
        """Whether there is a pair of the key's question."""
        answers = self.table().answers
        return key in answers or self.group(key) in {self.group(other) for other in answers}

    def fingerprint(self) -> str:
        """Digest of all three files."""
        self.table()
        return digest([file_digest(path) for path in (self.place(), *self._beside())])

    def remarks(self) -> tuple[str, ...]:
        """Say how many judgements are of documents that are not there."""
        paths = map(str, (self.place(), *self._beside()))
        lost = collect(*paths, by_place=self.by_place).lost
        return (f"{self.judgements}: left out: {lost:,} judgements of documents that are not there",) if lost else ()

    def _beside(self) -> tuple[Path, Path]:
        folder = self.place().absolute().parent
        paths = folder / self.questions, folder / self.judgements
        for name, path in zip(("questions", "judgements"), paths, strict=True):
            if not path.is_file():
                raise PartError(f"source.{name}: no such file: {path}; a path is relative to the documents' folder")
        return paths
