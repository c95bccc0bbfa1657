"""Does a document answer a question: pairs of both as tasks, drawn from what BM25 puts first.

Whoever is too small to read is shown figures from 00 to 99 instead: the place in the order of BM25 and the share of its
best score, how much of the question's words the document and its title have, and how much the document is like the
first ones of the order besides itself. None of them rests on a judgement.

Sources: BM25: Robertson & Zaragoza 2009, doi:10.1561/1500000019; the first documents as a hint of what is asked for:
Lavrenko & Croft 2001, doi:10.1145/383952.383972.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

from .collection import Collection, collect
from .rows import FEATURES
from .source import identity

YES, NO = "yes", "no"
STOP = frozenset(
    re.findall(
        "[a-z]+",
        "a an and any are as at be been by can do does for from has have how if in into is it its of on or such than "
        "that the their there these this to under was were what when which with",
    )
)
SATURATION, LENGTH = 1.2, 0.75
"""k1 and b of BM25."""
FIRST = 5
"""Documents at the top of BM25's order that others are held against."""
NEAR = 10
"""Places of that order that are near the top."""
STEPS = 99
"""Steps in which a share is said."""
BAND = 25
"""Of those steps, so many are one feature of a task."""


class Seen(NamedTuple):
    """What is seen of a question and a document: the place from 1, and shares in steps."""

    place: int
    score: int
    words: int
    title: int
    like: int

    def __str__(self) -> str:
        return ", ".join(f"{name} {value:02}" for name, value in self._asdict().items())


class Index:
    """Finds the documents for a question."""

    def __init__(self, collection: Collection) -> None:
        self._counts = {number: Counter(words(one.whole)) for number, one in collection.documents.items()}
        self._titles = {number: frozenset(words(one.title)) for number, one in collection.documents.items()}
        self._holding: dict[str, list[str]] = defaultdict(list)
        for number, counts in self._counts.items():
            for word in counts:
                self._holding[word].append(number)
        lengths = {number: counts.total() for number, counts in self._counts.items()}
        count, mean = len(lengths), max(1.0, sum(lengths.values()) / max(1, len(lengths)))
        self._norms = {n: SATURATION * (1 - LENGTH + LENGTH * length / mean) for n, length in lengths.items()}
        self._rarity = {w: math.log(1 + (count - len(d) + 0.5) / (len(d) + 0.5)) for w, d in self._holding.items()}

    def first(self, question: str, most: int) -> dict[str, Seen]:
        """The documents that BM25 puts first, best first, and what is seen of each."""
        asked = words(question)
        scores: dict[str, float] = defaultdict(float)
        for word in asked:
            for number in self._holding.get(word, ()):
                scores[number] += self._score(word, number)
        order = sorted(scores, key=lambda number: -scores[number])[:most]
        vectors = {number: self._vector(number) for number in order}
        weights = {word: self._rarity[word] for word in sorted(set(asked)) if word in self._rarity}
        return {
            number: Seen(
                place,
                _steps(scores[number] / scores[order[0]]),
                _steps(_share(weights, self._counts[number])),
                _steps(_share(weights, self._titles[number])),
                _steps(_likeness(vectors[number], [vectors[n] for n in order[: FIRST + 1] if n != number][:FIRST])),
            )
            for place, number in enumerate(order, start=1)
        }

    def _score(self, word: str, number: str) -> float:
        count = self._counts[number][word]
        return self._rarity[word] * count * (SATURATION + 1) / (count + self._norms[number])

    def _vector(self, number: str) -> dict[str, float]:
        """Weights of its words, of length 1."""
        own = {word: math.log1p(count) * self._rarity[word] for word, count in self._counts[number].items()}
        length = math.sqrt(sum(weight**2 for weight in own.values()))
        return {word: weight / length for word, weight in own.items()}


@dataclass(frozen=True, slots=True)
class Relevance:
    """Reads a collection, and makes the tasks that are in it."""

    questions: str
    judgements: str
    changed: int
    """When the last of both was written."""
    by_place: bool
    depth: int
    """Documents of the order that are looked at."""
    negatives: int
    """Of those, drawn for each that answers the question; 0 for all."""
    grade: int
    """The lowest with which a document answers a question."""
    figures: bool
    """Whether a task shows figures instead of texts."""

    def __call__(self, path: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Give places of questions, from 1, and a row for each pair; what looks the same as another pair is none.

        Raises:
            PartError: a file cannot be read, with its place.
        """
        collection = collect(path, self.questions, self.judgements, by_place=self.by_place)
        made = list(self._rows(collection))
        often = Counter(identity(row["prompt"]) for _, row in made)
        yield from ((place, row) for place, row in made if often[identity(row["prompt"])] == 1)

    def _rows(self, collection: Collection) -> Iterator[tuple[int, dict[str, Any]]]:
        index = Index(collection)
        for place, (number, question) in enumerate(collection.questions.items(), start=1):
            found = index.first(question, self.depth)
            answers = {d: collection.grades[number].get(d, 0) >= self.grade for d in found}
            for document in self._drawn(number, answers):
                seen, held = found[document], collection.documents[document]
                yield (
                    place,
                    {
                        "pair": key(question, document),
                        "prompt": str(seen) if self.figures else asked(question, held.whole),
                        "answer": YES if answers[document] else NO,
                        "question": number,
                        "document": document,
                        "place": seen.place,
                        "near": seen.place <= NEAR,
                        FEATURES: list(_features(seen)),
                    },
                )

    def _drawn(self, number: str, answers: Mapping[str, bool]) -> Iterator[str]:
        """All documents that answer, and so many times as many that do not."""
        others = [document for document, right in answers.items() if not right]
        wanted = self.negatives * max(1, len(answers) - len(others))
        drawn = set(Random(number).sample(others, min(wanted, len(others))) if self.negatives else others)
        yield from (document for document, right in answers.items() if right or document in drawn)


def key(question: str, document: str) -> str:
    """Name a pair; what stands before the slash is the question, however it is numbered."""
    return f"{identity(question)}/{document}"


def asked(question: str, document: str) -> str:
    """Ask whether a document answers a question."""
    return f"Question: {question}\nDocument: {document}\nDoes the document answer the question, {YES} or {NO}?"


def words(text: str) -> list[str]:
    """Words of a text in small letters, without those that are everywhere."""
    return [word for word in re.findall(r"[a-z0-9]+", text.lower()) if word not in STOP]


def _features(seen: Seen) -> Iterator[str]:
    yield "among the first" if seen.place <= FIRST else "near the top" if seen.place <= NEAR else "far down"
    for name, value in seen._asdict().items():
        if name != "place":
            low = min(value // BAND * BAND, STEPS + 1 - BAND)
            yield f"{name} {low:02} to {low + BAND - 1}"


def _share(weights: Mapping[str, float], held: Iterable[str]) -> float:
    there = set(held)
    return sum(weight for word, weight in weights.items() if word in there) / sum(weights.values())


def _likeness(one: Mapping[str, float], others: list[dict[str, float]]) -> float:
    """Cosine of a document and the mean of others; 0 without any."""
    mean: dict[str, float] = defaultdict(float)
    for other in others:
        for word, weight in other.items():
            mean[word] += weight
    length = math.sqrt(sum(weight**2 for weight in mean.values()))
    return sum(weight * mean[word] for word, weight in one.items() if word in mean) / length if length else 0.0


def _steps(share: float) -> int:
    return round(STEPS * min(1.0, share))
