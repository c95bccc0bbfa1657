"""Arithmetic by column structure, and a coin that nobody can learn to call.

Numbers are written ones first by default: the digit an answer needs next then always lies the same distance back,
which cuts the examples a small transformer needs by orders of magnitude (McLeish et al. 2024, arXiv:2405.17399, write
both operands and the answer reversed). A register, places that are filled with zeros, keeps that distance for numbers
of any length up to it. Features say what is true of each column, of the digits and of the carries.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...memory.errors import PartError
from ...memory.parts import explain
from ...memory.records import Task
from ..source import Settings, Source

Operation = Literal["add", "subtract", "multiply", "coin"]
SIGNS: dict[Operation, str] = {"add": "+", "subtract": "-", "multiply": "*"}
LONGEST = 32
"""Digits a number may have, and places of a register."""
PATIENCE = 400
"""Candidates tried per task wanted before a draw gives up: rarer structures than 1 in 400 come back short."""


def _unset(width: int) -> bool:
    """Whether there is no register, so that scenarios which do not use one keep their hash."""
    return not width


class Kind(BaseModel):
    """What one skill asks."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    operation: Operation
    digits: int = Field(default=3, ge=1, le=LONGEST)
    """Digits of both operands, of the first factor, or of a coin's number."""
    carries: tuple[int, int] | None = None
    """Fewest and most columns that carry or borrow."""
    by: tuple[int, ...] = (2, 3, 4, 5, 6, 7, 8, 9)
    """One-digit factors, for multiplication."""


class Column(BaseModel):
    """One column of a written calculation, ones first."""

    model_config = ConfigDict(frozen=True)

    value: int
    """Sum, difference or product of the digits, before what comes in."""
    incoming: int
    """Carry or borrow that comes in."""
    outgoing: int
    """Carry or borrow that goes out."""


def columns(operation: Operation, a: int, b: int, digits: int) -> Iterator[Column]:
    """Work a calculation column by column, as taught in school."""
    incoming = 0
    for place in range(digits):
        x, y = a // 10**place % 10, b // 10**place % 10
        if operation == "add":
            value, outgoing = x + y, (x + y + incoming) // 10
        elif operation == "subtract":
            value, outgoing = x - y, int(x - y - incoming < 0)
        else:
            value, outgoing = x * b, (x * b + incoming) // 10
        yield Column.model_construct(value=value, incoming=incoming, outgoing=outgoing)
        incoming = outgoing


class Arithmetic(Source):
    """Addition, subtraction and multiplication by digit count and carry structure, and a fair coin."""

    wants = Kind

    order: Literal["ones-first", "ones-last"] = "ones-first"
    """How numbers are written."""
    width: int = Field(default=0, ge=0, le=LONGEST, exclude_if=_unset)
    """Places of a register that longer numbers are written in, filled with zeros, and one more for the answer; 0 for as
    many as a number needs. One-digit factors and the numbers of a coin are written as they are."""

    @property
    def prose(self) -> bool:
        """Two calculations may look alike without being the same."""
        return False

    def check(self, skill: str, settings: Settings) -> None:
        """Refuse settings that describe no calculation."""
        kind = self._kind(skill, settings)
        most = kind.digits
        if self.width and kind.operation != "coin" and most > self.width:
            raise PartError(
                f"skills.{skill}.task: {most} digits do not fit source.width = {self.width}; use {most} or more"
            )
        if kind.carries and not 0 <= kind.carries[0] <= kind.carries[1] <= most:
            raise PartError(
                f"skills.{skill}.task: carries {list(kind.carries)} with {most} digits; use 0 to {most}, lowest first"
            )
        if kind.operation == "multiply" and not (kind.by and all(1 <= b <= 9 for b in kind.by)):
            raise PartError(f"skills.{skill}.task: by {list(kind.by)}; use digits 1 to 9")

    def size(self, skill: str, settings: Settings) -> int:
        """Count distinct calculations exactly, column by column."""
        kind = self._kind(skill, settings)
        if kind.operation == "coin":
            return 9 * 10 ** (kind.digits - 1)
        if kind.operation == "multiply":
            return sum(_count(kind, b) for b in set(kind.by))
        if kind.operation == "add":
            return (_count(kind) + _count(kind, equal=True)) // 2
        return _count(kind)

    def draw(
        self,
        skill: str,
        settings: Settings,
        count: int,
        rng: Random,
        *,
        allowed: Callable[[str], bool],
        having: Sequence[str] = (),
        lacking: Sequence[str] = (),
    ) -> list[Task]:
        """Draw distinct calculations by rejection."""
        kind = self._kind(skill, settings)
        low, high = 10 ** (kind.digits - 1), 10**kind.digits - 1
        wanted, unwanted = set(having), set(lacking)
        tasks: dict[str, Task] = {}
        for _ in range(PATIENCE * count):
            if len(tasks) == count:
                break
            a, b = (
                rng.randint(low, high),
                rng.choice(kind.by) if kind.operation == "multiply" else rng.randint(low, high),
            )
            if kind.operation == "subtract" and a < b:
                a, b = b, a
            key = _key(kind.operation, a, b)
            if key in tasks or not allowed(key) or not _fits(kind, a, b):
                continue
            features = _features(kind, a, b)
            if wanted.issubset(features) and unwanted.isdisjoint(features):
                tasks[key] = Task(
                    skill=skill,
                    key=key,
                    features=features,
                    prompt=self._prompt(kind, a, b),
                    answer=self._answer(kind, a, b),
                )
        return list(tasks.values())

    def solve(self, task: Task) -> str | None:
        """Work the prompt column by column, where `draw` computed with whole numbers."""
        if found := re.fullmatch(r"flip (\d+)", task.prompt):
            return _side(int(found[1]))
        found = re.fullmatch(r"(\d+)([-+*])(\d+)", task.prompt)
        if found is None:
            return None
        step = -1 if self.order == "ones-first" else 1
        a, b = int(found[1][::step]), int(found[3][::step])
        operation: Operation = next(o for o, sign in SIGNS.items() if sign == found[2])
        if operation == "subtract" and a < b:
            return None
        worked = list(columns(operation, a, b, len(found[1])))
        sign = -1 if operation == "subtract" else 1
        digits = [(c.value + sign * c.incoming) % 10 for c in worked]
        if operation != "subtract":
            digits.append(worked[-1].outgoing)
        text = "".join(map(str, digits))
        if self.order == "ones-first":
            return text
        return text[::-1] if self.width else str(int(text[::-1]))

    def adopt(self, skill: str, settings: Settings, prompt: str, answer: str) -> Task:
        """Read a calculation that somebody else wrote; it must be written as `draw` writes it."""
        kind = self._kind(skill, settings)
        a, b = self._operands(kind, prompt)
        if self._prompt(kind, a, b) != prompt or not _asked(kind, a, b) or not _fits(kind, a, b):
            raise ValueError(f"{prompt[:80]!r} is no task of skill {skill!r}")
        return Task(
            skill=skill, key=_key(kind.operation, a, b), features=_features(kind, a, b), prompt=prompt, answer=answer
        )

    def phrase(self, rule: Sequence[str]) -> str:
        """Say features in words."""
        return " and ".join(_phrase(feature) for feature in rule) or "the whole skill"

    def _kind(self, skill: str, settings: Settings) -> Kind:
        try:
            return Kind.model_validate(dict(settings))
        except ValidationError as error:
            raise PartError(explain(error, where=f"skills.{skill}.task: source 'arithmetic'", model=Kind)) from None

    def _operands(self, kind: Kind, prompt: str) -> tuple[int, int]:
        """What a prompt computes with; numbers of which no task is made where it is no calculation."""
        step = -1 if self.order == "ones-first" else 1
        if found := re.fullmatch(rf"flip ([0-9]{{1,{LONGEST}}})", prompt):
            return int(found[1]), 0
        found = re.fullmatch(rf"([0-9]{{1,{LONGEST}}})[-+*]([0-9]{{1,{LONGEST}}})", prompt)
        return (int(found[1][::step]), int(found[2][::step])) if found else (0, 0)

    def _prompt(self, kind: Kind, a: int, b: int) -> str:
        if kind.operation == "coin":
            return f"flip {a}"
        second = self._written(b, 1 if kind.operation == "multiply" else self.width)
        return f"{self._written(a, self.width)}{SIGNS[kind.operation]}{second}"

    def _answer(self, kind: Kind, a: int, b: int) -> str:
        if kind.operation == "coin":
            return _side(a)
        value = a + b if kind.operation == "add" else a - b if kind.operation == "subtract" else a * b
        if self.order == "ones-last" and not self.width:
            return str(value)
        return self._written(value, (self.width or kind.digits) + (kind.operation != "subtract"))

    def _written(self, number: int, places: int) -> str:
        text = str(number).zfill(places)
        return text[::-1] if self.order == "ones-first" else text


def _side(number: int) -> str:
    """Fair, fixed for every number, and without any pattern that could be learned."""
    return ("heads", "tails")[hashlib.sha256(f"coin {number}".encode()).digest()[0] & 1]


def _key(operation: Operation, a: int, b: int) -> str:
    if operation == "coin":
        return f"coin:{a}"
    first, second = (min(a, b), max(a, b)) if operation == "add" else (a, b)
    return f"{operation}:{first},{second}"


def _asked(kind: Kind, a: int, b: int) -> bool:
    """Whether these are operands that `draw` may choose."""
    if kind.operation == "multiply":
        return len(str(a)) == kind.digits and b in kind.by
    both = (a, a) if kind.operation == "coin" else (a, b)
    return all(len(str(n)) == kind.digits for n in both) and not (kind.operation == "subtract" and a < b)


def _fits(kind: Kind, a: int, b: int) -> bool:
    if kind.operation == "coin" or kind.carries is None:
        return True
    carried = sum(c.outgoing > 0 for c in columns(kind.operation, a, b, kind.digits))
    return kind.carries[0] <= carried <= kind.carries[1]


def _features(kind: Kind, a: int, b: int) -> tuple[str, ...]:
    if kind.operation == "coin":
        return ("coin", f"last {a % 10}")
    operation, moved = kind.operation, "borrow" if kind.operation == "subtract" else "carry"
    worked = list(columns(operation, a, b, kind.digits))
    found = {operation, f"digits {kind.digits}"}
    found |= {f"operand has {d}" for d in f"{a}{b}"}
    found |= {f"{moved} out of {n} or more columns" for n in range(1, sum(c.outgoing > 0 for c in worked) + 1)}
    if operation == "multiply":
        found.add(f"times {b}")
    word = {"add": "sum", "subtract": "difference", "multiply": "product"}[operation]
    found |= {f"{word} {c.value}" + (f" with {moved} in" if c.incoming else "") for c in worked}
    found |= {f"{word} {c.value} anywhere" for c in worked}
    return tuple(sorted(found))


def _phrase(feature: str) -> str:
    if found := re.fullmatch(r"(sum|difference|product) (-?\d+)( anywhere)?( with (carry|borrow) in)?", feature):
        incoming = "" if found[3] else f" that receives a {found[5]}" if found[5] else " that receives nothing"
        return f"a column with {found[1]} {found[2]}{incoming}"
    return feature


def _count(kind: Kind, by: int | None = None, *, equal: bool = False) -> int:
    """Count ordered operand pairs by dynamic programming over columns; state: what comes in, carries so far."""
    states: dict[tuple[int, int], int] = {(0, 0): 1}
    for place in range(kind.digits):
        lowest = int(place == kind.digits - 1)
        after: dict[tuple[int, int], int] = {}
        for x in range(lowest, 10):
            for y in (x,) if equal else (0,) if by else range(lowest, 10):
                for (incoming, carried), ways in states.items():
                    total = x * by if by else x + y if kind.operation == "add" else x - y
                    out = int(total - incoming < 0) if kind.operation == "subtract" else (total + incoming) // 10
                    state = (out, carried + (out > 0))
                    after[state] = after.get(state, 0) + ways
        states = after
    low, high = kind.carries or (0, kind.digits)
    ends = {0} if kind.operation == "subtract" else {out for out, _ in states}
    return sum(ways for (out, carried), ways in states.items() if out in ends and low <= carried <= high)
