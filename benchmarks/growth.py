"""What a round of 1,000 samples costs beside a memory of 10,000 and one of 100,000.

Both memories are made first and then take turns, a round each at a time; CPU time, with one thread. What is measured:
exact and near duplicates and decontamination, as `curate` finds them; duplicates of meaning; putting a round into the
vector memory; and how near everything of a round is to what is remembered, which is its novelty, of one kind in five.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from ..memory.embedder import Vectors
from ..memory.embedders.hashing import Hashing
from ..memory.recall import Entry, Recall
from ..memory.records import Sample, Task
from ..memory.stores.chroma import Chroma
from ..scenarios.text import normal
from ..training.curation.alike import Directions
from ..training.curation.decontamination import held, shared
from ..training.curation.duplicates import Duplicates
from .curation import DIMENSIONS, NEAR, Json, corpus, timed, vectors
from .machine import Check, keep, median_and_range

MEMORIES = (10_000, 100_000)
ROUND = 1_000
KINDS = 5
BATCH = 5_000
"""Entries at a time while a memory is made."""
NEAREST = 10
EXAM = 1_000
"""Items of the exams, which a memory has no part in."""
NGRAM = 8
GROWTH = 1.3
"""Largest ratio of the costs of a round."""


class Memory:
    """Everything that is kept, of one size."""

    def __init__(self, folder: Path, size: int, rounds: int, stack: ExitStack) -> None:
        self.size = size
        texts = corpus(size + rounds * ROUND, seed=size).texts
        self.samples = [_sample(text) for text in texts]
        self.rows_SD: Vectors = vectors(len(texts), seed=size)
        self.exam = held([_sample(text).task for text in corpus(EXAM, seed=1).texts], NGRAM)
        self.duplicates = Duplicates(near=NEAR, prose=True)
        self.directions = Directions(0.95, DIMENSIONS)
        self.recall = Recall.open(folder / str(size), store=Chroma(), embedder=Hashing())
        stack.callback(self.recall.close)
        self.duplicates.admit(self.samples[:size])
        self.directions.admit(self.rows_SD[:size])
        for start in range(0, size, BATCH):
            self.recall.remember(f"made-{start}", self._entries(start, min(size, start + BATCH)))

    def round(self, number: int) -> dict[str, float]:
        """CPU seconds of everything a round brings."""
        part = slice(self.size + number * ROUND, self.size + (number + 1) * ROUND)
        samples, entries = self.samples[part], self._entries(part.start, part.stop)
        texts = [sample.task.prompt for sample in samples]
        works: dict[str, Callable[[], object]] = {
            "exact and near duplicates": lambda: self.duplicates.admit(samples),
            "duplicates of meaning": lambda: self.directions.admit(self.rows_SD[part]),
            "decontamination": lambda: [shared(normal(text), self.exam, NGRAM) for text in texts],
            "novelty": lambda: self.recall.recall(texts, NEAREST),
            "filtered recall": lambda: self.recall.recall(texts, NEAREST, kind="kind-0"),
            "insertion": lambda: self.recall.remember(f"round-{number}", entries),
        }
        return {name: timed(work)[0] for name, work in works.items()}

    def _entries(self, start: int, stop: int) -> list[Entry]:
        some = enumerate(self.samples[start:stop], start)
        return [Entry(f"{i}", sample.task.prompt, {"kind": f"kind-{i % KINDS}"}) for i, sample in some]


def _sample(text: str) -> Sample:
    task = Task(skill="prose", prompt=text, answer="", key=text)
    return Sample(task=task, arm="targeted", round=0, weakness=None, teacher="benchmark", recipe="")


def main(argv: Sequence[str] | None = None) -> list[Check]:
    """Measure, print and keep the result."""
    parser = argparse.ArgumentParser(prog="evolvent.benchmarks.growth", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(argv)
    since = time.perf_counter()
    costs: dict[str, list[list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        memories = [Memory(Path(folder), size, options.rounds + 1, stack) for size in MEMORIES]
        print(f"memories made: {time.perf_counter() - since:.0f} s", flush=True)
        for number in range(options.rounds + 1):
            for which, memory in enumerate(memories):
                for name, seconds in memory.round(number).items():
                    # the first round of a process warms up
                    if number:
                        costs.setdefault(name, [[] for _ in MEMORIES])[which].append(seconds)
    figures: Json = {"memories": MEMORIES, "round": ROUND, "seconds": costs}
    figures["growth"] = {
        name: median_and_range([b / a for a, b in zip(*seconds, strict=True)]) for name, seconds in costs.items()
    }
    checks = [
        Check(
            f"a round of 1,000, memory of 100,000 over 10,000: {name}",
            f"{growth['median']:.2f}x ({1e3 * sum(costs[name][1]) / options.rounds:.0f} ms)",
            f"<= {GROWTH:g}x",
            growth["median"] <= GROWTH,
        )
        for name, growth in figures["growth"].items()
    ]
    print("\n".join(check.line() for check in checks))
    keep("growth", figures, checks, seconds=time.perf_counter() - since)
    return checks


if __name__ == "__main__":
    main()
