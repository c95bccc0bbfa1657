"""One round of training: data in a folder, a checkpoint in the same folder."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from ..memory.parts import Part
from ..scenarios.verifier import Verifier

DATA = "data/train.parquet"
MODEL = "model"
METRICS = "metrics.jsonl"


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

    @abstractmethod
    def train(
        self, folder: Path, *, start: Path, seed: int, steps: int | None = None, verifier: Verifier | None = None
    ) -> Trained:
        """Train on `folder/data/train.parquet`, write `folder/model` and `folder/metrics.jsonl`.

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


def write_rows(folder: Path, rows: Sequence[tuple[str, str, str]]) -> None:
    """Write the training set.

    Args:
        folder: working folder of the round.
        rows: sample id, prompt and completion, in training order.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / DATA
    path.parent.mkdir(parents=True, exist_ok=True)
    ids, prompts, answers = zip(*rows, strict=True) if rows else ((), (), ())
    pq.write_table(pa.table({"sample": ids, "prompt": prompts, "completion": answers}), path, write_page_checksum=True)


def read_rows(folder: Path) -> list[tuple[str, str]]:
    """Read prompts and completions of a training set, in order."""
    import pyarrow.parquet as pq

    table = pq.read_table(folder / DATA, columns=["prompt", "completion"], page_checksum_verification=True)
    return list(zip(table["prompt"].to_pylist(), table["completion"].to_pylist(), strict=True))
