"""What curation looks at: samples as columns, and what may be known beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...memory.embedder import Vectors
from ...memory.errors import PartError
from ...memory.inference import Model
from ...memory.talk import Question, text_of

Scores = NDArray[np.float64]
"""One finite number per sample, higher is better to train on."""
Indices = NDArray[np.int64]
"""Positions in a pool."""
Need = Literal["vectors", "student", "checkpoints", "targets", "scorer", "teacher"]
"""What a method of curation cannot do without, beside the samples' text; see `Context`."""
FROM: dict[Need, str] = {
    "vectors": "an embedder",
    "student": "a student, the folder of its weights",
    "checkpoints": "two or more students, in the order they were trained",
    "targets": "solved examples of what is to be learned",
    "scorer": "a model that works as scorer",
    "teacher": "a model that works as teacher",
}
"""What each of them is, for messages."""


class Row(NamedTuple):
    """One sample as curation sees it."""

    id: str
    question: Question
    answer: str
    skill: str = ""


@dataclass(frozen=True)
class Pool:
    """Samples to choose from, in a fixed order; outcomes may not depend on that order but for ties."""

    rows: tuple[Row, ...]
    embed: Callable[[Sequence[str]], Vectors] | None = field(default=None, repr=False, compare=False)
    """Gives the vectors of texts, if anything here can."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def ids(self) -> list[str]:
        """What the samples are called, distinct."""
        return [row.id for row in self.rows]

    @cached_property
    def by_id(self) -> Indices:
        """Positions in the order of the ids, for what would otherwise depend on the order of the pool."""
        return np.argsort(np.array(self.ids, dtype=np.str_), kind="stable").astype(np.int64)

    @property
    def answers(self) -> list[str]:
        """What each teaches to say."""
        return [row.answer for row in self.rows]

    @property
    def skills(self) -> list[str]:
        """The skill of each."""
        return [row.skill for row in self.rows]

    @cached_property
    def prompts(self) -> list[str]:
        """What each asks, as one text; a conversation with all its turns."""
        return [text_of(row.question) for row in self.rows]

    @cached_property
    def texts(self) -> list[str]:
        """Question and answer of each as one text."""
        return [f"{prompt}\n{answer}" for prompt, answer in zip(self.prompts, self.answers, strict=True)]

    @cached_property
    def vectors_SD(self) -> Vectors:
        """One row of length 1 per sample, made once.

        Raises:
            PartError: nothing here makes vectors.
        """
        if self.embed is None:
            raise PartError(f"this pool has no vectors; give {FROM['vectors']}")
        return self.embed(self.texts) if self.rows else np.zeros((0, 1), dtype=np.float32)

    def take(self, indices: Sequence[int] | Indices) -> "Pool":
        """Give a pool of some of the samples, with the vectors that were made already."""
        part = Pool(tuple(self.rows[i] for i in indices), self.embed)
        if "vectors_SD" in vars(self):
            vars(part)["vectors_SD"] = self.vectors_SD[np.asarray(indices, dtype=np.int64)]
        return part


@dataclass(frozen=True)
class Context:
    """What a method may look at beside the pool; what nobody gave is None or empty."""

    seed: int = 0
    """Everything random follows from it."""
    student: Path | None = None
    """The student as it is now."""
    checkpoints: tuple[Path, ...] = ()
    """Students in the order they were trained, the first one first."""
    targets: Pool | None = None
    """Solved examples of what is to be learned; of no exam."""
    known: Pool | None = None
    """What is trained on already."""
    scorer: Model | None = None
    """A model that may be asked what a sample is worth."""
    teacher: Model | None = None
    """A model that may write samples anew."""

    def lacks(self, pool: Pool, needs: Sequence[Need] | frozenset[Need]) -> list[Need]:
        """Give what of these is not here, sorted."""
        here: dict[Need, bool] = {
            "vectors": pool.embed is not None or "vectors_SD" in vars(pool),
            "student": self.student is not None,
            "checkpoints": len(self.checkpoints) > 1,
            "targets": self.targets is not None and len(self.targets) > 0,
            "scorer": self.scorer is not None,
            "teacher": self.teacher is not None,
        }
        return sorted(need for need in needs if not here[need])


def require(method: str, pool: Pool, context: Context, needs: frozenset[Need]) -> None:
    """Refuse a method that lacks something.

    Args:
        method: its kind and name, for the message.
        pool: what it is to look at.
        context: what there is beside.
        needs: what it cannot do without.

    Raises:
        PartError: naming all that is missing.
    """
    if lacking := context.lacks(pool, needs):
        raise PartError(f"{method} needs {'; and '.join(FROM[need] for need in lacking)}")
