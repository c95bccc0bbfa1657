"""Operators at work: how many samples each makes, of which items, and what is asked for them.

Every choice follows from the session's seed and the name of the draw, so what is written again is asked again word by
word, and its answer is there already. Items are tasks of the training split, out of a small share of it that serves as
seed, and items that the student failed when it was probed, which no exam holds. An operator that keeps the question or
the answer of its item takes seeds only: a probe stays a probe.
"""

import math
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random
from typing import Any, NamedTuple

from ..memory.embedder import Vectors
from ..memory.files import digest
from ..memory.inference import Models, Request
from ..memory.ledger import Ledger
from ..memory.origin import Origin, Parent
from ..memory.prompting import answer_schema, data, render
from ..memory.records import Attempt, Sample, Share, Task, Weakness
from ..scenarios.splits import Splits, place
from ..scenarios.student import Student
from .operator import Item, Operator
from .written import adopted, read

DOCUMENT = 6_000
"""Characters of a document that are shown."""
FAILED = 16
"""Failures of a weakness that items are taken from."""


class Weighted(NamedTuple):
    """An operator and its weight among all."""

    operator: Operator
    weight: float


@dataclass(frozen=True, slots=True)
class Material:
    """What samples may be made with, beside the training split; without operators nothing."""

    operators: Sequence[Weighted] = ()
    failed: Sequence[Attempt] = ()
    """Failures of the weakness they are for."""
    others: Sequence[Attempt] = ()
    """Failures of another weakness of the same skill."""
    embed: Callable[[Sequence[str]], Vectors] | None = None
    """Gives vectors as the memory has them; for a teacher that looks at likeness."""


NOTHING = Material()


def gather(
    operators: Sequence[Weighted], weakness: Weakness | None, known: Sequence[Weakness], ledger: Ledger, *,
    embed: Callable[[Sequence[str]], Vectors] | None = None,
) -> Material:  # fmt: skip
    """What the record holds for samples against a weakness, or for practice where there is none.

    Args:
        operators: those of the session.
        weakness: what the samples are for.
        known: all weaknesses; the one found last beside it lends its failures.
        ledger: of the run.
        embed: of the run's memory, where the teacher looks at likeness.
    """
    if weakness is None or not (operators or embed):
        return Material(operators)
    if embed:
        return Material(operators, _failures(weakness, ledger), embed=embed)
    beside = [w for w in known if w.skill == weakness.skill and w.id != weakness.id]
    return Material(operators, _failures(weakness, ledger), _failures(beside[-1], ledger) if beside else ())


def _failures(weakness: Weakness, ledger: Ledger) -> list[Attempt]:
    found = [ledger.get(Attempt, id) for id in weakness.failures[:FAILED]]
    return [attempt for attempt in found if attempt.task.answer.strip()]


def deal(weights: Mapping[str, float], count: int, rng: Random) -> dict[str, int]:
    """Split a count by weights; what is left of whole samples goes by chance to those that lack most of one.

    Source: weighted sampling without replacement, Efraimidis and Spirakis 2006, doi:10.1016/j.ipl.2005.11.003.
    """
    total = math.fsum(weights.values())
    wanted = {name: count * weight / total for name, weight in sorted(weights.items())}
    given = {name: int(share) for name, share in wanted.items()}
    # 1e-9 keeps the exponent finite where a share is whole
    luck = {name: rng.random() ** (1 / max(1e-9, wanted[name] - given[name])) for name in wanted}
    for name in sorted(luck, key=lambda n: (-luck[n], n))[: count - sum(given.values())]:
        given[name] += 1
    return given


class _Unseeded:
    """Keys of tasks that are no seeds."""

    def __init__(self, scenario: str, share: float) -> None:
        self._salt, self._share = f"{scenario}/seeds", share

    def __contains__(self, key: object) -> bool:
        return place(str(key), self._salt) >= self._share


@dataclass(frozen=True, slots=True)
class Order:
    """One request to the teacher, and what each of its numbers stands for."""

    operator: Operator
    groups: Sequence[Sequence[Item]]
    request: Request


@dataclass(frozen=True, slots=True)
class Operating:
    """How a teacher puts operators to work."""

    teacher: str
    """Its name."""
    system: str
    seeds: float
    """Share of the training tasks that serve as seeds."""
    shots: int
    """Examples in a request."""
    batch: int
    """Samples wanted of one request."""
    longest: int
    """Tokens of an answer."""
    temperature: float
    splits: Splits
    beside: Container[str] = ()
    """Keys of tasks that are there already: an operator that keeps the question starts from others."""

    async def write(
        self, share: Share, weakness: Weakness | None, count: int, *, stream: str, material: Material, models: Models
    ) -> list[Sample]:
        """Have samples made; fewer may come back."""
        orders = self._orders(share.skill, weakness, count, stream, material)
        written: list[Sample] = []
        for order, reply in zip(orders, await models["teacher"].ask([o.request for o in orders]), strict=True):
            said = {int(one["number"]): one for one in reversed((read(reply) or {"tasks": []})["tasks"])}
            written += [self._sample(share, weakness, order, number, said[number]) for number in sorted(said)]
        return list({sample.id: sample for sample in written}.values())[:count]

    def _orders(
        self, skill: str, weakness: Weakness | None, count: int, stream: str, material: Material
    ) -> list[Order]:
        rng = Random(f"{self.splits.seed}/{stream}/{skill}/operators")
        shares = deal({w.operator.name: w.weight for w in material.operators}, count, rng)
        orders: list[Order] = []
        for operator, _ in material.operators:
            own = f"{stream}-{operator.name}"
            groups = self._groups(operator, shares[operator.name], skill, weakness, own, material, rng)
            for start in range(0, len(groups), self.batch):
                name = f"{own}-{start}"
                orders.append(self._order(operator, groups[start : start + self.batch], skill, weakness, name))
        return orders

    def _groups(
        self, operator: Operator, count: int, skill: str, weakness: Weakness | None, stream: str, material: Material,
        rng: Random,
    ) -> list[tuple[Item, ...]]:  # fmt: skip
        """What each sample is made from: every other one from a failure, where it may be and there are any."""
        seeds = [self._seed(t) for t in self._tasks(skill, count, f"{stream}-items", weakness.rule if weakness else ())]
        if "question" not in operator.asks:
            return [(item,) for item in seeds if item.parent.id not in self.beside]
        failed = _failed(material.failed, rng) if operator.renews else []
        firsts = _alternating(failed, seeds, count)
        if operator.takes == 1:
            return [(item,) for item in firsts]
        beside = _failed(material.others, rng) or [
            self._seed(task) for task in self._tasks(skill, count, f"{stream}-beside", ())
        ]
        return [
            pair for pair in zip(firsts, islice(cycle(beside), len(firsts)), strict=bool(beside)) if len(set(pair)) == 2
        ]

    def _tasks(self, skill: str, count: int, stream: str, rule: tuple[str, ...]) -> list[Task]:
        """Seeds under a rule; others of the skill where there are none, and any training task where it has no seed."""
        pool = _Unseeded(self.splits.scenario.name, self.seeds)
        for having, beside in ((rule, pool), ((), pool), (rule, ()), ((), ())):
            if found := self.splits.draw(skill, "train", count, stream=stream, having=having, beside=beside):
                return found
        return []

    def _seed(self, task: Task) -> Item:
        document = self.splits.source.document(task.key)[:DOCUMENT]
        return Item(Parent(kind="seed", id=task.key, prompt=task.prompt, answer=task.answer), document=document)

    def _order(
        self, operator: Operator, groups: Sequence[Sequence[Item]], skill: str, weakness: Weakness | None, stream: str
    ) -> Order:
        """A request for one sample of each group."""
        rule = weakness.rule if weakness else ()
        examples = self._tasks(skill, self.shots, f"{stream}-examples", rule)
        items = [{"number": number, **operator.show(group)} for number, group in enumerate(groups, start=1)]
        shown = {"items": items, "examples": [{"question": t.prompt, "solution": t.answer} for t in examples]}
        aim = data({"weakness": weakness.hypothesis, "features": list(rule)}) if weakness else ""
        seed = int(digest([self.splits.seed, stream, skill], length=8), 16) % 2**31
        prompt = render(
            operator.prompt, skill=skill, data=data(shown), data_weakness=aim, method=operator.method(Random(seed))
        )
        number = {"type": "integer", "enum": [item["number"] for item in items]}
        one = answer_schema({"number": number, **operator.properties()})
        tasks: dict[str, Any] = {"type": "array", "items": one, "minItems": 1, "maxItems": len(items)}
        schema = answer_schema({"tasks": tasks})
        asked = Request(prompt, self.longest, self.temperature, seed, system=self.system, schema=schema)
        return Order(operator, groups, asked)

    def _sample(
        self, share: Share, weakness: Weakness | None, order: Order, number: int, said: Mapping[str, Any]
    ) -> Sample:
        items = order.groups[number - 1]
        own = {"question": items[0].parent.prompt, "solution": items[0].parent.answer}
        document = "\n".join(item.document for item in items if item.document)
        origin = Origin(
            operator=order.operator.name,
            parents=tuple(item.parent for item in items),
            document=digest(document) if document else "",
            reasoning=str(said.get("reasoning", "")).strip(),
            marks=marks(self.splits.scenario.student),
        )
        return Sample(
            task=adopted(share.skill, {**own, **said}, self.splits),
            arm="targeted",
            round=share.round,
            weakness=weakness.id if weakness else None,
            failures=weakness.failures[:5] if weakness else (),
            teacher=self.teacher,
            recipe=order.request.prompt,
            origin=origin,
        )


def marks(student: Student) -> tuple[str, str]:
    """What stands around reasoning that this student learns."""
    begin, close = student.reasoning or ("", "")
    return (f"{begin}\n", f"\n{close}\n\n") if begin else ("", "\n")


def _failed(attempts: Sequence[Attempt], rng: Random) -> list[Item]:
    """Failing items in an order of chance."""
    return [
        Item(Parent(kind="failure", id=a.id, prompt=a.task.prompt, answer=a.task.answer), wrong=a.answer)
        for a in rng.sample(attempts, len(attempts))
    ]


def _alternating(failed: Sequence[Item], seeds: Sequence[Item], count: int) -> list[Item]:
    """Failures and seeds in turn, each again from its beginning where it ends."""
    rows = [cycle(row) for row in (failed, seeds) if row]
    return [next(row) for row in islice(cycle(rows), count)] if rows else []
