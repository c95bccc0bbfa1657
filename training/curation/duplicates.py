"""Exact and near duplicates of what is already kept.

Exact: the same canonical task. Near, for prose only: Jaccard similarity of character 3-grams. MinHash with banding
proposes candidates, so that new samples cost the same however many are kept; the similarity of a candidate is then
worked out from the texts.
"""

from collections.abc import Iterable, Iterator, KeysView, Sequence
from typing import NamedTuple

from ...memory.records import Sample
from ...scenarios.text import normal
from .alike import Texts
from .likeness import Match


class Collision(NamedTuple):
    """What a sample is a duplicate of."""

    reason: str
    sample: str


class Duplicates:
    """What is kept so far, to compare with."""

    def __init__(self, *, near: float, prose: bool) -> None:
        self.near = near
        self.prose = prose
        self._keys: dict[str, str] = {}
        self._texts = Texts(near)
        self._places: dict[str, int] = {}
        self._holders: list[list[str]] = []
        """Samples by the place of their text, the last one last."""

    @property
    def keys(self) -> KeysView[str]:
        """Keys of the tasks that are kept."""
        return self._keys.keys()

    def find(self, sample: Sample) -> Collision | None:
        """Give what this sample duplicates, or None."""
        return self.find_many([sample])[0]

    def find_many(self, samples: Sequence[Sample]) -> list[Collision | None]:
        """Give what each of these duplicates of what is kept; they are not compared with each other."""
        found = [self._same(sample) for sample in samples]
        rest = [i for i, collision in enumerate(found) if collision is None]
        if self.prose:
            matches = self._texts.find([normal(samples[i].task.own) for i in rest])
            for i, match in zip(rest, matches, strict=True):
                found[i] = match and self._near(match)
        return found

    def add(self, samples: Iterable[Sample]) -> None:
        """Keep samples, whatever they duplicate."""
        added = list(samples)
        self._keys |= {sample.task.key: sample.id for sample in added}
        if not self.prose:
            return
        texts = [normal(sample.task.own) for sample in added]
        fresh = list(dict.fromkeys(text for text in texts if text not in self._places))
        self._enter(fresh)
        self._texts.add(fresh)
        for sample, text in zip(added, texts, strict=True):
            self._holders[self._places[text]].append(sample.id)

    def admit(self, samples: Sequence[Sample]) -> list[Collision | None]:
        """Keep those that duplicate neither what is kept nor an earlier one of them; say what the others duplicate.

        As `find` and `add` would one after another.
        """
        if not self.prose:
            return [self._admit(sample) for sample in samples]
        texts = [normal(sample.task.own) for sample in samples]
        return [c for run in _runs(samples, texts) for c in self._admit_prose(samples[run], texts[run])]

    def discard(self, samples: Iterable[Sample]) -> None:
        """Keep samples no longer, as if they had never been added; what is not kept is passed over."""
        for sample in samples:
            if self._keys.get(sample.task.key) == sample.id:
                del self._keys[sample.task.key]
            text = normal(sample.task.own) if self.prose else ""
            if (place := self._places.get(text)) is not None and sample.id in self._holders[place]:
                self._holders[place].remove(sample.id)
                if not self._holders[place]:
                    self._texts.forget(place)
                    del self._places[text]

    def _admit(self, sample: Sample) -> Collision | None:
        if (same := self._same(sample)) is None:
            self._keys[sample.task.key] = sample.id
        return same

    def _admit_prose(self, samples: Sequence[Sample], texts: Sequence[str]) -> list[Collision | None]:
        """Admit samples of which those with one key have one text."""
        first = {sample.task.key: i for i, sample in reversed(list(enumerate(samples)))}
        new = [i for i in first.values() if samples[i].task.key not in self._keys]
        new.sort()
        before = self._texts.places
        matches = self._texts.admit([texts[i] for i in new])
        kept = [i for i, match in zip(new, matches, strict=True) if match is None]
        self._enter([texts[i] for i in kept])
        assert before + len(kept) == len(self._holders)
        for i in kept:
            self._holders[self._places[texts[i]]].append(samples[i].id)
        near = {i: self._near(match) for i, match in zip(new, matches, strict=True) if match is not None}
        answers: list[Collision | None] = []
        for sample in samples:
            like = near.get(first[sample.task.key])
            answers.append(like if like is not None else self._admit(sample))
        return answers

    def _enter(self, texts: Iterable[str]) -> None:
        """Give texts the next places."""
        for text in texts:
            self._places[text] = len(self._holders)
            self._holders.append([])

    def _same(self, sample: Sample) -> Collision | None:
        same = self._keys.get(sample.task.key)
        return None if same is None else Collision("the same task is already kept", same)

    def _near(self, match: Match) -> Collision:
        return Collision(f"near duplicate, similarity {match.similarity:.2f}", self._holders[match.place][-1])


def _runs(samples: Sequence[Sample], texts: Sequence[str]) -> Iterator[slice]:
    """Cut where a key comes again with another text: which of the two is kept decides about the other."""
    start, seen = 0, dict[str, str]()
    for i, (sample, text) in enumerate(zip(samples, texts, strict=True)):
        if seen.setdefault(sample.task.key, text) != text:
            yield slice(start, i)
            start, seen = i, {sample.task.key: text}
    yield slice(start, len(samples))
