"""No sample may give an exam away.

The key decides for every source: a task whose key belongs to an exam split is a leak, whoever wrote it. For prose,
sharing a run of normalised words with an exam item is a leak as well. Exam text stays inside this filter.
"""

from collections.abc import Iterable

from ...memory.records import Task
from ...scenarios.splits import Splits
from .text import ngrams, normal


class Decontamination:
    """Knows what the exams hold."""

    def __init__(self, splits: Splits, items: Iterable[Task], *, ngram: int) -> None:
        self.splits = splits
        self.ngram = ngram
        self._grams: set[str] = set()
        if splits.source.prose:
            self._grams = {gram for item in items for gram in ngrams(normal(item.prompt), ngram)}

    def leak(self, task: Task) -> str | None:
        """Say why training on a task would give an exam away, or None."""
        part = self.splits.part(task.key)
        if part != "train":
            return f"leak: the task belongs to the {part} split"
        if self._grams and not self._grams.isdisjoint(ngrams(normal(task.prompt), self.ngram)):
            return f"leak: shares {self.ngram} words in a row with an exam item"
        return None
