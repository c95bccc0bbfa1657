"""No sample may give an exam away.

The key decides for every source: a task whose key belongs to an exam split is a leak, whoever wrote it. For prose,
sharing a run of normalised words with an exam item is a leak as well, and so is holding the whole of an item that is
shorter than such a run. Elsewhere a task that is written like an exam item is another task, as another date is, and is
only reported. Exam text stays inside this filter.
"""

from collections.abc import Iterable, Mapping

from ...memory.records import Task
from ...scenarios.source import identity
from ...scenarios.splits import Splits
from ...scenarios.text import normal
from .grams import ngrams

SHORTEST = 3
"""Words from which a short item counts when it stands inside a longer prompt; fewer must be the whole prompt, since one
or two words are found in any text."""


class Decontamination:
    """Knows what the exams hold."""

    def __init__(self, splits: Splits, items: Iterable[Task], *, ngram: int, beside: Iterable[str] = ()) -> None:
        """Look at all that is held.

        Args:
            splits: says whose a key is.
            items: of the exams.
            ngram: words in a row that count as a leak, for prose.
            beside: prompts of evaluations that are no exam of this session.
        """
        self.splits = splits
        self.ngram = ngram
        items, prose = list(items), splits.source.prose
        beside = list(beside)
        self._beside = frozenset(map(identity, beside))
        texts = [*(item.own for item in items), *beside]
        self._grams: Mapping[int, set[str]] = _runs(texts, ngram) if prose else {}
        self._written = frozenset[str]() if prose else frozenset(normal(item.own) for item in items)

    def leak(self, task: Task) -> str | None:
        """Say why training on a task would give an exam away, or None."""
        part = self.splits.owner(task.key)
        if part != "train":
            return f"leak: the task belongs to the {part} split"
        if self._beside and identity(task.own) in self._beside:
            return "leak: an item of an evaluation asks the same"
        return shared(normal(task.own), self._grams, self.ngram)

    def near(self, task: Task) -> bool:
        """Whether a task that is no leak is written like an exam item but for spacing, case and punctuation."""
        return bool(self._written) and normal(task.own) in self._written


def held(items: Iterable[Task], ngram: int) -> dict[int, set[str]]:
    """Runs of `ngram` words of every item, and items with fewer words as a whole, by number of words."""
    return _runs((item.own for item in items), ngram)


def _runs(texts: Iterable[str], ngram: int) -> dict[int, set[str]]:
    grams: dict[int, set[str]] = {}
    for text in map(normal, texts):
        if text:
            grams.setdefault(min(ngram, len(text.split())), set()).update(ngrams(text, ngram))
    return grams


def given_away(items: Iterable[Task], texts: Iterable[str], ngram: int) -> list[Task]:
    """Items of which one of these texts, trained on before, holds as much as `shared` calls a leak.

    Args:
        items: what an exam would hold.
        texts: prompts a student was trained on.
        ngram: words in a row that count as a leak.
    """
    words = {item: normal(item.own) for item in items}
    sizes = {item: min(ngram, len(text.split())) for item, text in words.items()}
    known = {size: set[str]() for size in sizes.values()}
    for text in map(normal, texts):
        length = len(text.split())
        for size, grams in known.items():
            if size == length or size >= min(SHORTEST, ngram):
                grams |= ngrams(text, size) if size <= length else set()
    return [item for item, text in words.items() if not known[sizes[item]].isdisjoint(ngrams(text, sizes[item]))]


def shared(text: str, grams: Mapping[int, set[str]], ngram: int) -> str | None:
    """Say what a normalised prompt shares with an exam item, or None."""
    words = len(text.split())
    for size, known in sorted(grams.items(), reverse=True):
        if size > words or (size < min(SHORTEST, ngram) and size != words):
            continue
        if not known.isdisjoint(ngrams(text, size)):
            return (
                f"leak: shares {ngram} words in a row with an exam item"
                if size == ngram
                else "leak: holds an exam item"
            )
    return None
