"""A teacher for people with data and no teacher: nothing is written, labelled tasks are picked from a file.

What is picked for a weakness are the tasks nearest to its failures in the vectors of the memory, failure by failure in
turn, so that no single one draws all the budget to itself. Tasks come from a file of the user's, and where that has
none of a skill, or none is named, from the scenario's own source; what belongs to an exam or to the probes is never
among them.

Sources: nearest neighbours of what the model fails on as the choice of training data: Liu et al. 2022, What Makes Good
In-Context Examples for GPT-3?, arXiv:2101.06804 (kNN over embeddings, there of examples in a prompt).
"""

import os
from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import Field, model_validator

from ...memory.embedder import Vectors
from ...memory.errors import PartError
from ...memory.files import file_digest
from ...memory.inference import NOBODY, Models
from ...memory.records import Attempt, Sample, Share, Task, Weakness
from ...scenarios.rows import Columns, Row, Table, read
from ...scenarios.splits import EXAMS, Splits
from ...training.curation.decontamination import Decontamination
from ..operating import NOTHING, Material
from ..remembering import describe_answer
from ..rules import corrected, foreseen, separation, telling, under
from ..teacher import Hypothesis, Teacher

STREAM = "pool"
"""Begins the names of draws from the scenario's own source."""
CHOICE = 20
"""Tasks of the source that are looked at for one that is picked: a rare rule makes drawing more of them slow."""


class Pool(Teacher):
    """Pick from labelled tasks the ones that are most like what fails."""

    likens = True

    tasks: str = ""
    """JSON Lines, CSV or Parquet file of solved tasks; empty picks from the scenario's own source."""
    prompt: str = "prompt"
    """Column of the question."""
    answer: str = "answer"
    """Column of the right answer."""
    skill: str = "skill"
    """Column that names the skill; empty where the file has none and is one pool for every skill."""
    most: int = Field(default=2_000, ge=1)
    """Tasks of a skill that are looked at for one weakness."""
    significance: float = Field(default=0.01, gt=0, lt=1)
    """Corrected p-value from which a feature is believed to tell failures from passes."""
    fewest: int = Field(default=4, ge=1)
    """Failures without which a skill counts as sound."""
    unexplained: float = Field(default=0.1, gt=0, le=1)
    """Share of a skill's attempts that fails from which the whole skill counts as weak."""
    widest: int = Field(default=12, ge=1)
    """Features that are looked at."""

    @model_validator(mode="after")
    def _there(self) -> "Pool":
        if self.tasks and not os.path.isfile(self.tasks):
            raise ValueError(f"tasks: no such file: {self.tasks!r}; a path is relative to the scenario's folder")
        return self

    def rests_on(self) -> Mapping[str, str]:
        """Digest of the pool, where it is a file."""
        return {"teacher.tasks": file_digest(Path(self.tasks))} if self.tasks else {}

    def warnings(self, splits: Splits) -> list[str]:
        """Rows of the file that would give an exam away, and are therefore never picked."""
        if not self.tasks:
            return []
        items = [task for split in EXAMS for task in splits.items(split)]
        contamination = Decontamination(splits, items, ngram=splits.scenario.curation.ngram)
        rows = {
            skill: self._table().skills.get(skill if self.skill else "", ())[: self.most]
            for skill in splits.scenario.skills
        }
        looked = [task for skill, found in rows.items() for row in found if (task := _adopted(skill, row, splits))]
        if lost := sum(contamination.leak(task) is not None for task in looked):
            return [
                f"teacher.tasks: {lost:,} of {len(looked):,} tasks belong to exams or probes, or repeat what an exam "
                "holds; they are never picked"
            ]
        return []

    async def diagnose(
        self, skill: str, attempts: Sequence[Attempt], elsewhere: Sequence[Attempt], splits: Splits, *,
        models: Models = NOBODY,
    ) -> list[Hypothesis]:  # fmt: skip
        """Name the one feature that tells failures from passes most surely, or else the skill as a whole."""
        del elsewhere, models
        failures = [a for a in attempts if not a.verdict.passed]
        if len(failures) < self.fewest:
            return []
        features = len({f for a in failures for f in a.task.features})
        told = [
            (corrected(separation(under(attempts, [f]), attempts), features), f) for f in telling(attempts, self.widest)
        ]
        p_value, feature = min(told, default=(1.0, ""))
        own = under(attempts, [feature]) if p_value <= self.significance else list(attempts)
        rule = (feature,) if p_value <= self.significance else ()
        ids = tuple(a.id for a in own if not a.verdict.passed)
        if len(ids) < max(self.fewest, 0 if rule else self.unexplained * len(attempts)):
            return []
        where = f"where there is {splits.source.phrase(rule)}" if rule else f"in {len(ids)} of {len(attempts)} tasks"
        return [Hypothesis(skill, f"fails in {skill!r} {where}", rule, ids, foreseen(own), p_value if rule else 1.0)]

    async def write(
        self, share: Share, weakness: Weakness | None, count: int, splits: Splits, *, attempt: int,
        beside: Container[str] = (), material: Material = NOTHING, models: Models = NOBODY,
    ) -> list[Sample]:  # fmt: skip
        """Pick the tasks of the pool that are nearest to the failures, and any of them where there are no failures."""
        del models
        looked = min(self.most, CHOICE * count) if material.failed else count
        stream = f"{share.round}-{attempt}"
        candidates = self._candidates(share.skill, weakness, splits, beside, count=looked, stream=stream)
        if material.failed and material.embed and candidates:
            picked = [candidates[i] for i in nearest(candidates, material.failed, count, material.embed)]
        else:
            picked = candidates[:count]
        where = Path(self.tasks).name if self._holds(share.skill) else splits.source.name
        return [
            Sample(
                task=task,
                arm="targeted",
                round=share.round,
                weakness=weakness.id if weakness else None,
                failures=weakness.failures[:5] if weakness else (),
                teacher=self.name,
                recipe=f"picked from {where}",
            )
            for task in picked
        ]

    def _candidates(
        self, skill: str, weakness: Weakness | None, splits: Splits, beside: Container[str], *, count: int, stream: str
    ) -> list[Task]:
        """Up to `count` tasks that may be picked, in an order of chance; of the source only those under the rule."""
        rule = weakness.rule if weakness else ()
        if not self._holds(skill):
            return splits.draw(skill, "train", count, stream=f"{STREAM}-{stream}", having=rule, beside=beside)
        found: dict[str, Task] = {}
        rows = self._table().skills.get(skill if self.skill else "", ())
        for at in np.random.default_rng(splits.seed).permutation(len(rows)):
            task = _adopted(skill, rows[at], splits)
            if task is None:
                continue
            if task.key not in beside and splits.owner(task.key) == "train":
                found.setdefault(task.key, task)
            if len(found) == self.most:
                break
        # what has the rule comes first; where the file has too little of that, the rest follows
        return sorted(found.values(), key=lambda task: not set(rule) <= set(task.features))

    def _holds(self, skill: str) -> bool:
        """Whether the user's file has tasks of a skill; of others, such as guards, the source has some."""
        return bool(self.tasks) and (skill if self.skill else "") in self._table().skills

    def _table(self) -> Table:
        path = Path(self.tasks).absolute()
        stat = path.stat()
        columns = Columns(self.prompt, self.answer, self.skill, "", False, "", "messages", "tools", "")
        try:
            return read(str(path), stat.st_mtime_ns, stat.st_size, columns)
        except OSError as error:
            raise PartError(f"teacher.tasks: {self.tasks} cannot be read: {error.strerror}") from None


def _adopted(skill: str, row: Row, splits: Splits) -> Task | None:
    """A row as a task; None for one of another skill, in a file that does not say which is which."""
    try:
        return splits.adopt(skill, row.prompt, row.answer)
    except ValueError:
        return None


def nearest(
    tasks: Sequence[Task], failed: Sequence[Attempt], count: int, embed: Callable[[Sequence[str]], Vectors]
) -> list[int]:
    """Pick the tasks nearest to failures: the nearest of each, then the second nearest of each, and so on.

    Args:
        tasks: to pick from.
        failed: at least one.
        count: how many; all where there are fewer.
        embed: gives vectors of length 1.

    Returns:
        Positions in `tasks`, distinct, in the order they were picked.
    """
    # both with the right answer: a wrong one would draw tasks that share the mistake and not the question
    tasks_SD = embed([describe_answer(task, task.answer) for task in tasks])
    failed_FD = embed([describe_answer(a.task, a.task.answer) for a in failed])
    likeness_FS = failed_FD @ tasks_SD.T
    order_FS = np.argsort(-likeness_FS, axis=1, kind="stable")
    turns = order_FS.T.ravel()
    _, first = np.unique(turns, return_index=True)
    return [int(turns[at]) for at in np.sort(first)[:count]]
