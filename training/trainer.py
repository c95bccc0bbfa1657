"""One round of training: data in a folder, a checkpoint in the same folder."""

import json
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite, nan
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from ..memory.errors import EvolventError
from ..memory.files import write_json
from ..memory.parts import Part
from ..memory.records import Task
from ..memory.talk import Question, Talk
from ..scenarios.verifier import Verifier

DATA = "data/train.parquet"
TALK = "talk"
"""Column of conversations as JSON, in a training set that has any."""
ORDERED = {b"order": b"kept"}
"""Mark in the schema of a training set whose order is to be kept."""
MODEL = "model"
METRICS = "metrics.jsonl"
RESULT = "round.json"
FIGURES = ("step", "loss", "learning_rate", "grad_norm", "num_tokens")
"""Figures of a logged step that are kept in the ledger, as TRL calls them."""
MOST = 200
"""Logged steps of a round that are kept there."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What a round of training came to."""

    steps: int
    tokens: int
    """Tokens that are not padding, summed over all passes."""
    loss: float
    """Mean training loss over the last tenth of the steps."""
    seconds: float


class Trainer(Part):
    """Base of every trainer. Trainers know files only; they never open a ledger."""

    kind: ClassVar[str] = "trainer"

    start: Literal["base", "promoted"] = "base"
    """Train from the base student on everything accumulated, or go on from the promoted one with replay."""
    longest: int = Field(default=128, ge=8)
    """Tokens a sample may have; longer ones are rejected before training, never cut."""

    @property
    def adapts(self) -> bool:
        """Whether it trains an adapter on frozen weights instead of all weights."""
        return False

    @property
    def draws(self) -> int:
        """Answers to each sample, of the student it starts from, that it reads in `data/tries.parquet`; 0 for none.

        One is the greedy answer; several are drawn.
        """
        return 0

    @property
    def rewarded(self) -> bool:
        """Whether a verifier judges answers while it trains, where no other model can be asked."""
        return False

    def require(self, start: Path) -> None:
        """Refuse a student that its rounds could not train, before anything is spent on it.

        Args:
            start: the checkpoint that the session starts from.

        Raises:
            PartError: with what to change.
        """

    @abstractmethod
    def train(
        self, folder: Path, *, start: Path, seed: int, steps: int | None = None, verifier: Verifier | None = None
    ) -> Trained:
        """Train on the rows in `folder/data`, write `folder/model` and `folder/metrics.jsonl`.

        Args:
            folder: working folder of the round.
            start: checkpoint to start from.
            seed: fixes order and everything random; same folder, start and seed give the same weights.
            steps: optimiser steps, where they are not to follow from the number of samples.
            verifier: judges answers, for trainers that let the student answer while they train.
        """

    @abstractmethod
    def steps(self, samples: int) -> int:
        """Optimiser steps that a number of samples takes."""

    def passes(self, samples: int) -> float:
        """Times that each of a number of samples is trained on; 1 where nothing else is known."""
        del samples
        return 1.0


def write_result(folder: Path, trained: Trained) -> None:
    """Leave in a round's folder what training came to."""
    write_json(folder / RESULT, asdict(trained))


def read_result(folder: Path) -> Trained:
    """Read what training came to."""
    return Trained(**json.loads((folder / RESULT).read_text()))


def read_metrics(folder: Path) -> list[dict[str, float]]:
    """Read what a round logged while it trained: step, loss, and what else of `FIGURES` there was.

    A long file is thinned evenly, but its last entry is always there; what is not a finite number is left out.
    """
    path = folder / METRICS
    lines = path.read_text().splitlines() if path.is_file() else []
    every = -(-len(lines) // MOST) or 1
    entries = [json.loads(line) for line in lines[::-every]][::-1]
    return [{name: entry[name] for name in FIGURES if isfinite(entry.get(name, nan))} for entry in entries]


def write_rows(
    folder: Path, rows: Sequence[tuple[str, str, str]], *, tasks: Sequence[Task] = (), ordered: bool = False
) -> None:
    """Write the training set.

    Args:
        folder: working folder of the round.
        rows: sample id, prompt and completion, in training order.
        tasks: what the rows were made from, in the same order; without them no answer can be judged while training.
        ordered: whether every pass has to keep to this order; otherwise the trainer mixes the rows anew for each.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / DATA
    path.parent.mkdir(parents=True, exist_ok=True)
    ids, prompts, answers = zip(*rows, strict=True) if rows else ((), (), ())
    columns: dict[str, tuple[str | None, ...]] = {"sample": ids, "prompt": prompts, "completion": answers}
    if tasks:
        columns["task"] = tuple(task.model_dump_json() for task in tasks)
    if any(task.talk for task in tasks):
        columns[TALK] = tuple(task.talk.model_dump_json() if task.talk else None for task in tasks)
    table = pa.table(columns)
    pq.write_table(table.replace_schema_metadata(ORDERED) if ordered else table, path, write_page_checksum=True)


def is_ordered(folder: Path) -> bool:
    """Whether a training set was written to be trained on in its order."""
    import pyarrow.parquet as pq

    return ORDERED.items() <= (pq.read_schema(folder / DATA).metadata or {}).items()


def read_rows(folder: Path) -> list[tuple[Question, str]]:
    """Read questions and completions of a training set, in order."""
    import pyarrow.parquet as pq

    table = pq.read_table(folder / DATA, page_checksum_verification=True)
    talks = table[TALK].to_pylist() if TALK in table.column_names else [None] * table.num_rows
    asked = zip(table["prompt"].to_pylist(), talks, strict=True)
    questions = [prompt if talk is None else Talk.model_validate_json(talk) for prompt, talk in asked]
    return list(zip(questions, table["completion"].to_pylist(), strict=True))


def read_ids(folder: Path) -> list[str]:
    """Read the ids of the samples of a training set, in order."""
    import pyarrow.parquet as pq

    return [str(id) for id in pq.read_table(folder / DATA, columns=["sample"])["sample"].to_pylist()]


def read_tasks(folder: Path) -> list[Task]:
    """Read the tasks behind a training set, in order.

    Raises:
        EvolventError: it was written without them.
    """
    import pyarrow.parquet as pq

    table = pq.read_table(folder / DATA, page_checksum_verification=True)
    if "task" not in table.column_names:
        raise EvolventError(f"{folder / DATA}: has no column 'task', so answers cannot be judged; write it with tasks")
    return [Task.read(str(body)) for body in table["task"].to_pylist()]
