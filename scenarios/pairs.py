"""Labelled pairs of records as tasks: do they mean the same thing, what is missing in one, which columns are the same.

A line holds two records and a label, apart by tabs; a record is `COL name VAL value COL name VAL value`, as the data
sets of DeepMatcher are written for Ditto.

Source: entity matching, imputation and schema matching as questions: Narayan et al. 2022, https://arxiv.org/abs/2205.09911;
the format: Li et al. 2020, https://arxiv.org/abs/2004.00584.
"""

import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

from ..memory.errors import PartError
from .delimited import whole
from .rows import FEATURES
from .source import same

Record = Mapping[str, str]
SAME, OTHER = "same", "other"
"""The answers about a pair of records, and of columns."""
SHOWN = 2
"""Values of a column that a task of schema matching shows."""
STEPS = 99
"""Steps in which it is said how much two values share."""
ALIKE = 80
"""Of those steps, from which two values count as alike."""
NEAR = 2
"""Attributes that have to be alike for a pair to be near, and worth a second look."""
_FIELD = re.compile(r"COL (\S+) VAL (.*?)(?= COL \S+ VAL |$)")
_WORD = re.compile(r"[^\W_]+")
_QUOTES = re.compile(r"^[`'\"\s]+|[`'\"\s]+$")


class Pair(NamedTuple):
    """Two records and whether they mean the same."""

    line: int
    left: Record
    right: Record
    same: bool


@dataclass(frozen=True, slots=True)
class Pairs:
    """Reads pairs of records, and makes the tasks that are in them."""

    attributes: tuple[str, ...]
    """Which are shown, in this order; empty for all."""
    shares: bool
    """Whether a task of matching says how much the values share instead of the values."""
    more: tuple[str, ...]
    """Further files of pairs."""
    changed: int
    """When the last of them was written."""
    missing: tuple[str, ...]
    """Attributes that are asked for where they are left away."""
    schema: int
    """Tasks of schema matching that are made."""

    def __call__(self, path: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Give lines, from 1, and a row for each task; a question with two answers is none.

        Raises:
            PartError: a line is no pair, or has not the attributes.
        """
        made = list(self._tasks(path))
        answers: dict[str, set[str]] = {}
        for _, row in made:
            answers.setdefault(same(row["prompt"], prose=False), set()).add(row["answer"])
        yield from (each for each in made if len(answers[same(each[1]["prompt"], prose=False)]) == 1)

    def _tasks(self, path: str) -> Iterator[tuple[int, dict[str, Any]]]:
        pairs = [pair for file in (path, *self.more) for pair in read(file)]
        names = self._names(path, pairs)
        for pair in pairs:
            alike = list(_alike(pair, names))
            row = _row("match", self.asked(pair, names), SAME if pair.same else OTHER, *alike)
            yield pair.line, {**row, "near": len(alike) >= NEAR}
        for line, record, side in _distinct(pairs):
            for name in self.missing:
                if record.get(name):
                    shown = [f"{other} {record[other]}" for other in names if other != name and record.get(other)]
                    yield line, _row("impute", f"{'; '.join(shown)}; {name}?", record[name], f"asks {name}", side)
        for number in range(self.schema):
            yield 1, self._columns(pairs, names, number)

    def asked(self, pair: Pair, names: Sequence[str]) -> str:
        """Ask about a pair of records."""
        if not self.shares:
            return "; ".join(f"{name} {pair.left.get(name, '')} | {pair.right.get(name, '')}" for name in names)
        return ", ".join(f"{name} {shared(pair.left.get(name, ''), pair.right.get(name, ''))}" for name in names)

    def _names(self, path: str, pairs: Sequence[Pair]) -> tuple[str, ...]:
        there = list(dict.fromkeys(name for pair in pairs for name in (*pair.left, *pair.right)))
        for name in (*self.attributes, *self.missing):
            if name not in there:
                raise PartError(f"{path} has no attribute {name!r}; it has: {', '.join(there) or 'none'}")
        if self.schema and len(self.attributes or there) < 2:
            raise PartError(
                f"source.schema_tasks needs two attributes or more; {path} has: {', '.join(there) or 'none'}"
            )
        return self.attributes or tuple(there)

    def _columns(self, pairs: Sequence[Pair], names: Sequence[str], number: int) -> dict[str, Any]:
        """Ask whether values of the left records and values of the right ones are of one attribute."""
        rng = Random(number)
        first, second = rng.sample(names, 2)
        second = first if number % 2 else second
        left = [pair.left[first] for pair in rng.sample(pairs, len(pairs)) if pair.left.get(first)][:SHOWN]
        right = [pair.right[second] for pair in rng.sample(pairs, len(pairs)) if pair.right.get(second)][:SHOWN]
        said = f"{' / '.join(left)} | {' / '.join(right)}"
        return _row("schema", said, SAME if first == second else OTHER, f"left {first}", f"right {second}")


def read(path: str) -> Iterator[Pair]:
    """Read a file of pairs.

    Raises:
        PartError: a line is none, with what it should be.
    """
    for number, text in enumerate(io.StringIO(whole(path), newline=None), start=1):
        if not text.strip():
            continue
        parts = text.rstrip("\n").split("\t")
        sides = [record(part) for part in parts[:2]]
        if len(parts) != 3 or parts[2].strip() not in ("0", "1") or not all(sides):
            raise PartError(
                f"{path}:{number} is no pair of records; write 'COL name VAL value ...', a tab, another one, a tab and "
                "0 or 1"
            )
        yield Pair(number, sides[0], sides[1], parts[2].strip() == "1")


def record(text: str) -> Record:
    """Read a record; what stands around a quoted value goes."""
    return {name: _QUOTES.sub("", value).replace("\\ '", "'") for name, value in _FIELD.findall(text.strip())}


def shared(left: str, right: str) -> str:
    """Say how much two values share: 00 to 99, by the Dice coefficient of their pairs of characters.

    `-` stands where one of them is empty.
    """
    one, two = (Counter(_bigrams(text)) for text in (left, right))
    if not one or not two:
        return "-"
    return f"{round(STEPS * 2 * (one & two).total() / (one.total() + two.total())):02}"


def _alike(pair: Pair, names: Sequence[str]) -> Iterator[str]:
    """Say what is true of the two records: which values share most of their characters."""
    for name in names:
        if (share := shared(pair.left.get(name, ""), pair.right.get(name, ""))).isdigit() and int(share) >= ALIKE:
            yield f"{name} alike"


def _bigrams(text: str) -> list[str]:
    plain = f" {' '.join(_WORD.findall(text.casefold()))} "
    return [plain[at : at + 2] for at in range(len(plain) - 1)] if plain.strip() else []


def _distinct(pairs: Sequence[Pair]) -> Iterator[tuple[int, Record, str]]:
    """Each record once, with the first line that has it and its side; none that means the same as another one.

    Of two that do, one would be trained on and the other one examined.
    """
    seen = {_known(pair.right) for pair in pairs if pair.same}
    for pair in pairs:
        for side, one in (("left", pair.left), ("right", pair.right)):
            if (key := _known(one)) not in seen:
                seen.add(key)
                yield pair.line, one, side


def _known(one: Record) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(one.items()))


def _row(task: str, prompt: str, answer: str, *features: str) -> dict[str, Any]:
    return {"task": task, "prompt": prompt, "answer": answer, FEATURES: list(features)}
