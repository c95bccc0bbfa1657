"""Tasks of the package reasoning-gym by name, with the levels of its curricula (`pip install 'evolvent[reasoning]'`).

An item is a function of the recipe and its number, so a recipe and a number stand for a task wherever it is needed:
the items of a recipe are made here, and once more in the process that scores answers.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

from ..memory.errors import PartError, suggest
from .features import COMMONEST, RAREST, frequent, seen

PACKAGE = "reasoning_gym"
MISSING = "reasoning-gym is not installed; try: pip install 'evolvent[reasoning]'"
SEED = 0
"""Of every recipe: which of its items are for what is a matter of their keys."""
SAMPLE = 512
"""Items by which a recipe is judged: how many of its questions differ, which words and facts tell them apart."""
FEW = 5_000
"""Questions below which they are counted one by one."""
LONGEST = 24
"""Characters of a fact that becomes a feature."""
REFUSED = (ValueError, TypeError, AssertionError, KeyError, IndexError, AttributeError, OSError)
"""What the package raises over a setting that it does not take."""


class Recipe(NamedTuple):
    """What a task is made from."""

    task: str
    items: int
    level: int | None
    levels: tuple[tuple[str, int], ...]
    config: str
    """Settings of the task as JSON, so that a recipe can be a key."""


@dataclass(frozen=True, slots=True)
class Item:
    """One question as the package gives it."""

    key: str
    question: str
    answer: str
    """Empty where the package knows none."""
    facts: tuple[str, ...]
    """What the package says of it."""


class Traits(NamedTuple):
    """What tells the items of a recipe apart."""

    questions: int
    """Distinct ones, at least."""
    words: frozenset[str]
    facts: frozenset[str]

    def of(self, item: Item) -> set[str]:
        """Features of an item."""
        return seen(item.question, self.words) | (set(item.facts) & self.facts)


def installed() -> bool:
    """Whether the package is there."""
    return find_spec(PACKAGE) is not None


@lru_cache(maxsize=16)
def generator(recipe: Recipe) -> Any:
    """Make what makes the items of a recipe; it has no types.

    Raises:
        PartError: no such task, level or setting.
    """
    library = import_module(f"{PACKAGE}.factory")
    if recipe.task not in library.DATASETS:
        names = sorted(library.DATASETS)
        raise PartError(f"reasoning-gym has no task {recipe.task!r}{suggest(recipe.task, names)}; it has {len(names)}")
    settings: dict[str, Any] = json.loads(recipe.config)
    made, kind = library.DATASETS[recipe.task]
    where = f"task {recipe.task!r} of reasoning-gym"
    try:
        if recipe.level is None and not recipe.levels:
            return made(config=kind(**settings, seed=SEED, size=recipe.items))
        return made(config=replace(_levelled(library, recipe), **settings))
    except REFUSED as error:
        known = ", ".join(name for name in kind.__dataclass_fields__ if name not in ("seed", "size"))
        raise PartError(f"{where} refuses its settings: {_short(error)}; its config takes: {known}") from None


def _levelled(library: Any, recipe: Recipe) -> Any:
    """Configuration of a task at levels of its curriculum."""
    if recipe.task not in library.CURRICULA:
        raise PartError(f"task {recipe.task!r} of reasoning-gym has no curriculum; use config instead of levels")
    curriculum = library.create_curriculum(recipe.task)
    curriculum.set_global_level(recipe.level or 0)
    attributes = {name: len(attribute.levels) for name, attribute in curriculum.attributes.items()}
    for name, level in recipe.levels:
        if name not in attributes:
            raise PartError(
                f"the curriculum of {recipe.task!r} has no {name!r}{suggest(name, list(attributes))}; it has: "
                f"{', '.join(attributes)}"
            )
        if not 0 <= level < attributes[name]:
            raise PartError(f"level {level} of {name!r} in {recipe.task!r}; use 0 to {attributes[name] - 1}")
        curriculum.set_attr_level(name, level)
    return curriculum.generate_configuration({"seed": SEED, "size": recipe.items})


@lru_cache(maxsize=1 << 16)
def item(recipe: Recipe, number: int) -> Item:
    """Make one item.

    Raises:
        PartError: the package cannot make it.
    """
    try:
        entry = generator(recipe)[number]
    except REFUSED as error:
        raise PartError(f"task {recipe.task!r} of reasoning-gym makes no item {number}: {_short(error)}") from None
    question, reference = str(entry["question"]), entry["answer"]
    return Item(
        key(question), question, "" if reference is None else str(reference).strip(), tuple(_facts(entry["metadata"]))
    )


def key(question: str) -> str:
    """Say which task a question is, letter by letter but for space around it."""
    return hashlib.sha256(question.strip().encode("utf-8", "surrogatepass")).hexdigest()[:16]


@lru_cache(maxsize=64)
def traits(recipe: Recipe) -> Traits:
    """Judge a recipe by its first items."""
    sample = [item(recipe, number) for number in range(min(SAMPLE, recipe.items))]
    distinct = {each.key: each for each in sample}
    counts = Counter(fact for each in distinct.values() for fact in each.facts)
    facts = {fact for fact, count in counts.items() if RAREST <= count / len(distinct) <= COMMONEST}
    questions = _at_least(len(sample), len(distinct), recipe.items)
    if questions < FEW:
        questions = len({item(recipe, number).key for number in range(recipe.items)})
    return Traits(questions, frequent([each.question for each in distinct.values()]), frozenset(facts))


def _at_least(drawn: int, distinct: int, items: int) -> int:
    """Questions that so many items surely hold, judged by the repetitions in a sample.

    Of N questions equally likely, n draws repeat n² / 2N times on average; that the true average is at most
    c + 2 √c + 3 where c were seen holds in some 19 of 20 cases.
    """
    if drawn == items:
        return distinct
    repeated = drawn - distinct
    there = drawn**2 / (2 * (repeated + 2 * math.sqrt(repeated) + 3))
    return int(there * -math.expm1(-items / there))


def _facts(metadata: Any) -> Iterator[str]:
    """What the package says of an item, where that is a short value."""
    for name, value in metadata.items() if isinstance(metadata, dict) else ():
        if isinstance(value, (bool, int, str)) and not name.startswith("source_") and len(str(value)) <= LONGEST:
            yield f"{name} {value}".lower() if isinstance(value, bool) else f"{name} {value}"


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
