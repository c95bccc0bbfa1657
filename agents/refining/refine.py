"""From a data set to the part of it that is worth training on; every row that is lost keeps the reason.

The steps are those of a session: what cannot be read, what enhancers refuse, what repeats, what gives an exam away,
what the selector leaves, and then an order. One question with two answers is two rows here: rows are compared by
question and answer together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...memory.embedder import Embedder
from ...memory.records import Sample, Task
from ...scenarios.text import normal
from ...training.curation.decontamination import held, shared
from ...training.curation.duplicates import Duplicates
from ...training.curation.enhancer import Change
from ...training.curation.pool import Context, Pool, Row, Scores, require
from ..curators import Curators
from ..selecting import score
from .rows import Data, Line


@dataclass(frozen=True, slots=True)
class Fallen:
    """A row that is not trained on."""

    line: Line
    reason: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Refined:
    """What became of a data set."""

    kept: Sequence[Line]
    """In the order they should be trained on; by line where nobody ordered them."""
    fallen: Sequence[Fallen]
    """By line."""
    changed: Mapping[int, str]
    """Which enhancers changed a row that was kept, by line."""
    scores: Mapping[int, float]
    """By line, of all that were scored."""


async def refine(
    data: Data, curators: Curators, context: Context, *, embedder: Embedder, near: float, against: Sequence[Row],
    ngram: int, budget: int | None,
) -> Refined:  # fmt: skip
    """Run a data set through the methods.

    Args:
        data: the rows.
        curators: the methods.
        context: what they may look at beside the rows.
        embedder: makes vectors for those that need them.
        near: similarity from which rows are near duplicates.
        against: items of exams, whose words in a row are a leak.
        ngram: how many.
        budget: rows to keep at most; None for all that a selector would take.

    Raises:
        PartError: a method lacks something.
    """
    work = _Work(data, embedder)
    work.fall({line.number: line.fault for line in data.lines if line.row is None})
    for enhancer in curators.enhancers:
        pool = work.pool()
        require(f"enhancer {enhancer.name!r}", pool, context, enhancer.needs)
        work.change(enhancer.name, pool, await enhancer.enhance(pool, context))
    work.fall(_repeats(work.pool(), near))
    work.fall(_leaks(work.pool(), against, ngram))
    pool = work.pool()
    scores_S = np.zeros(len(pool)) if curators.scorer is None else await score(curators.scorer, pool, context)
    if curators.scorer is not None:
        work.scores = dict(zip(map(int, pool.ids), scores_S.tolist(), strict=True))
    most = len(pool) if budget is None else budget
    if curators.selector is not None:
        require(f"selector {curators.selector.name!r}", pool, context, curators.selector.needs)
        chosen = {int(pool.ids[i]) for i in curators.selector.select(pool, scores_S, most, seed=context.seed)}
        why = f"selection: {curators.selector.name} chose others"
        work.fall({int(id): why for id in pool.ids if int(id) not in chosen})
    return work.done(_order(curators, work.pool(), work.scores, context.seed))


class _Work:
    """Rows as they are by now."""

    def __init__(self, data: Data, embedder: Embedder) -> None:
        self.data = data
        self.scores: dict[int, float] = {}
        self._embedder = embedder
        self._left = {line.number: line for line in data.lines}
        self._fallen: dict[int, str] = {}
        self._changed: dict[int, list[str]] = {}

    def pool(self) -> Pool:
        """What is left, in the order of the file."""
        rows = [line.row for line in self._left.values() if line.row is not None]
        return Pool(tuple(rows), self._embedder.embed)

    def fall(self, reasons: Mapping[int, str]) -> None:
        """Take rows out."""
        for number, reason in reasons.items():
            del self._left[number]
            self._fallen[number] = reason

    def change(self, name: str, pool: Pool, changes: Sequence[Change]) -> None:
        """Take in what an enhancer says."""
        for row, change in zip(pool.rows, changes, strict=True):
            number = int(row.id)
            if change.refused:
                self.fall({number: f"{name}: {change.refused}"})
                continue
            line = self._left[number]
            new = self.data.rewritten(line, question=change.question, answer=change.answer)
            if new.row != line.row:
                self._left[number] = new
                self._changed.setdefault(number, []).append(name)

    def done(self, order: Sequence[int]) -> Refined:
        """What became of them all."""
        lines = {line.number: line for line in self.data.lines}
        fallen = [Fallen(lines[n], why, self.scores.get(n)) for n, why in sorted(self._fallen.items())]
        changed = {n: ", ".join(names) for n, names in self._changed.items() if n in self._left}
        return Refined([self._left[n] for n in order], fallen, changed, self.scores)


def _repeats(pool: Pool, near: float) -> dict[int, str]:
    """Rows that repeat an earlier one, question and answer together."""
    known = Duplicates(near=near, prose=near < 1)
    found: dict[int, str] = {}
    lines: dict[str, int] = {}
    samples = [_sample(row, text) for row, text in zip(pool.rows, pool.texts, strict=True)]
    for row, sample, hit in zip(pool.rows, samples, known.admit(samples), strict=True):
        lines.setdefault(sample.id, int(row.id))
        if hit is None:
            continue
        similar = hit.reason.partition("similarity ")[2]
        which = f"near duplicate: {similar} like" if similar else "duplicate: the same as"
        found[int(row.id)] = f"{which} line {lines[hit.sample]}"
    return found


def _sample(row: Row, text: str) -> Sample:
    """The row as what duplicates are found among: the same text is the same task."""
    task = Task(skill=row.skill, prompt=text, answer="", key=normal(text) or text)
    return Sample(task=task, arm="targeted", round=0, weakness=None, teacher="file", recipe="")


def _leaks(pool: Pool, against: Sequence[Row], ngram: int) -> dict[int, str]:
    """Rows that share words in a row with an item of an exam."""
    grams = held(
        [Task(skill="", prompt=prompt, answer="", key=prompt) for prompt in Pool(tuple(against)).prompts], ngram
    )
    said = {int(row.id): shared(normal(text), grams, ngram) for row, text in zip(pool.rows, pool.texts, strict=True)}
    return {number: why for number, why in said.items() if why is not None}


def _order(curators: Curators, pool: Pool, scores: Mapping[int, float], seed: int) -> list[int]:
    numbers = [int(id) for id in pool.ids]
    if curators.orderer is None:
        return numbers
    scores_S: Scores = np.array([scores.get(number, 0.0) for number in numbers], dtype=np.float64)
    return [numbers[place] for place in curators.orderer.order(pool, scores_S, seed=seed)]
