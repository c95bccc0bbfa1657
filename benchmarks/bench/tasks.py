"""Small procedural skills of staggered difficulty, each with one right answer to a prompt, and one that is noise.

Which items may be trained on is a function of the prompt alone, as in a session (`scenarios/splits.py`), so no training
item is ever in an exam or among the probes, whoever drew it.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from random import Random
from typing import Literal, NamedTuple

from ...scenarios.splits import place

Part = Literal["train", "probe", "exam"]
BOUNDS = (0.1, 0.2)
"""Items below the first bound are probes, below the second exam items; the rest is for training."""
BASE = 4
"""Of sums and differences: a table of 16 sums is learned within seconds, one of 100 is not."""
LISTS, TABLES = "abcdefgh", "ABCD"
"""Names of lists of ten facts and of tables of a hundred, which have nothing to do with each other."""
NOISE = "noise"
"""Name of the skill whose answers follow from nothing."""


class Item(NamedTuple):
    """One solved task."""

    skill: str
    prompt: str
    answer: str


def part(prompt: str) -> Part:
    """Say what an item with this prompt may be used for."""
    where = place(prompt, "bench")
    return "probe" if where < BOUNDS[0] else "exam" if where < BOUNDS[1] else "train"


def draw(skill: str, count: int, rng: Random, *, of: Part = "train", distinct: bool = False) -> list[Item]:
    """Draw items of one skill.

    Args:
        skill: a name in `SKILLS`.
        count: how many; a skill must have as many where they are to be distinct.
        rng: the only source of chance.
        of: which part they belong to.
        distinct: whether no two may have the same prompt.
    """
    make, items = SKILLS[skill], dict[str, Item]() if distinct else []
    while len(items) < count:
        prompt, answer = make(rng)
        if part(prompt) != of:
            continue
        if isinstance(items, dict):
            items[prompt] = Item(skill, prompt, answer)
        else:
            items.append(Item(skill, prompt, answer))
    return list(items.values()) if isinstance(items, dict) else items


def mixture(shares: Mapping[str, float], count: int, rng: Random, *, of: Part = "train") -> list[Item]:
    """Draw every item's skill with these weights, then the item; in the order they were drawn."""
    names = sorted(shares)
    chosen = rng.choices(names, [shares[name] for name in names], k=count)
    drawn = {name: iter(draw(name, chosen.count(name), rng, of=of)) for name in names}
    return [next(drawn[name]) for name in chosen]


def right(item: Item) -> bool:
    """Whether an item's answer is the right one; of noise, the one it always had."""
    return SOLVE[item.prompt[0]](item.prompt) == item.answer


def spoiled(item: Item, rng: Random) -> Item:
    """Give the same item with one character of its answer changed: as long, of the same kind, and wrong."""
    at = rng.randrange(len(item.answer))
    other = rng.choice([c for c in "0123456789" if c != item.answer[at]])
    return item._replace(answer=item.answer[:at] + other + item.answer[at + 1 :])


def varied(item: Item, rng: Random) -> Item:
    """Write a task like this one: some of its characters are others, and the answer is what it then is."""
    sign, body = item.prompt[0], list(item.prompt[1:])
    digits = "0123" if sign in "+-" else "0123456789"
    while True:
        for at in rng.sample(range(len(body)), max(1, len(body) // 2)):
            body[at] = rng.choice(digits)
        prompt = sign + "".join(body)
        if part(prompt) == "train" and (sign != "-" or _read(prompt[1::2]) >= _read(prompt[2::2])):
            return Item(item.skill, prompt, SOLVE[sign](prompt))


def _digits(rng: Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))


def _columns(rng: Random, length: int) -> tuple[int, int]:
    return rng.randrange(BASE**length), rng.randrange(BASE**length)


def _spell(sign: str, a: int, b: int, length: int) -> str:
    """Write two numbers column by column, ones first: `+1203` is 10 + 23, each read backwards, in base `BASE`."""
    return sign + "".join(x + y for x, y in zip(_ones_first(a, length), _ones_first(b, length), strict=True))


def _ones_first(number: int, length: int) -> str:
    return "".join(str(number // BASE**place % BASE) for place in range(length))


def _read(digits: str) -> int:
    return int(digits[::-1], BASE)


def _add(prompt: str) -> str:
    """Sum of two numbers written column by column, ones first."""
    return _ones_first(_read(prompt[1::2]) + _read(prompt[2::2]), len(prompt) // 2 + 1)


def _subtract(prompt: str) -> str:
    """Difference of two numbers written column by column, ones first, the larger one first."""
    return _ones_first(_read(prompt[1::2]) - _read(prompt[2::2]), len(prompt) // 2)


def _noise(prompt: str) -> str:
    """Three digits that nothing in the prompt tells; prompt `?1234`."""
    return f"{int(hashlib.sha256(prompt.encode()).hexdigest()[:8], 16) % 1000:03}"


def _facts(prompt: str) -> str:
    """Digits looked up one by one in a table that its first character names (`a1234`), or in pairs (`A1234`)."""
    table, width = _table(prompt[0]), 1 if prompt[0].islower() else 2
    return "".join(table[int(prompt[at : at + width])] for at in range(1, len(prompt), width))


@cache
def _table(name: str) -> str:
    """Ten or a hundred digits without any pattern: as many facts to be learned."""
    return _digits(Random(f"table {name}"), 10 if name.islower() else 100)


SOLVE: Mapping[str, Callable[[str], str]] = {
    "=": lambda prompt: prompt[1:],
    "<": lambda prompt: prompt[:0:-1],
    "#": lambda prompt: "".join(sorted(prompt[1:])),
    "+": _add,
    "-": _subtract,
    "?": _noise,
    **dict.fromkeys((*LISTS, *TABLES), _facts),
}
"""How a prompt is worked, by its first character."""


def _over(sign: str, length: int) -> Callable[[Random], tuple[str, str]]:
    def make(rng: Random) -> tuple[str, str]:
        prompt = sign + _digits(rng, length)
        return prompt, SOLVE[sign](prompt)

    return make


def _sum(length: int) -> Callable[[Random], tuple[str, str]]:
    def make(rng: Random) -> tuple[str, str]:
        prompt = _spell("+", *_columns(rng, length), length)
        return prompt, _add(prompt)

    return make


def _difference(length: int) -> Callable[[Random], tuple[str, str]]:
    def make(rng: Random) -> tuple[str, str]:
        b, a = sorted(_columns(rng, length))
        prompt = _spell("-", a, b, length)
        return prompt, _subtract(prompt)

    return make


SKILLS: Mapping[str, Callable[[Random], tuple[str, str]]] = {
    **{f"copy-{n}": _over("=", n) for n in range(2, 13)},
    **{f"reverse-{n}": _over("<", n) for n in range(2, 13)},
    **{f"sort-{n}": _over("#", n) for n in range(2, 13)},
    **{f"add-{n}": _sum(n) for n in range(2, 9)},
    **{f"subtract-{n}": _difference(n) for n in range(2, 9)},
    **{f"list-{name}": _over(name, 4) for name in LISTS},
    **{f"table-{name}": _over(name, 4) for name in TABLES},
    NOISE: _over("?", 5),
}
"""Every skill, and how an item of it is drawn."""


def learnable(skills: Sequence[str]) -> list[str]:
    """The skills that can be learned."""
    return [skill for skill in skills if skill != NOISE]
