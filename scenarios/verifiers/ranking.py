"""The answer puts things in an order, and the better ones come first: nDCG."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from ...memory.records import Task, Verdict
from ..plain import fenced, read_json
from ..verifier import Verifier

LONGEST = 100_000
"""Characters of an answer that are looked at."""


class Ranking(Verifier):
    """Score an order by normalised discounted cumulative gain, in [0, 1].

    The reference is a JSON object of grades by name, `{"d1": 2, "d7": 1}`, or the names in a right order, the first of
    n with grade n. The answer is an order: a JSON list, an object of scores, or names on lines or between commas or
    `>`, with or without numbers before them. A name that is not in the reference has grade 0 and takes its place; one
    that comes again does not count.

    Source: Järvelin & Kekäläinen 2002, ACM TOIS 20(4), https://doi.org/10.1145/582415.582418; gains 2^grade − 1 as in
    Burges et al. 2005 (ICML, "Learning to rank using gradient descent").
    """

    k: int = Field(default=10, gt=0)
    """Places that count."""
    gain: Literal["exponential", "linear"] = "exponential"
    """What a grade is worth: 2^grade − 1, or the grade."""

    def judge(self, task: Task, answer: str) -> Verdict:
        """Score 1 when no order is better, 0 when nothing of worth is among the first k.

        Raises:
            ValueError: the reference grades nothing above 0.
        """
        grades = self._grades(task)
        order = list(dict.fromkeys(_order(answer[:LONGEST])))
        if not order:
            return Verdict(score=0.0, reason=f"no order in {answer[:200]!r}")
        best = self._worth(sorted(grades.values(), reverse=True))
        score = min(1.0, self._worth([grades.get(name, 0.0) for name in order]) / best)
        if math.isclose(score, 1.0, rel_tol=1e-12):
            return Verdict(score=1.0)
        return Verdict(score=score, reason=f"nDCG@{self.k} {score:.4f} of {', '.join(order[: self.k])[:200]!r}")

    def _grades(self, task: Task) -> dict[str, float]:
        try:
            said = read_json(task.answer)
        except ValueError:
            said = None
        if isinstance(said, dict):
            grades = {name: _number(grade) for name, grade in said.items()}
        else:
            order = list(dict.fromkeys(_order(task.answer)))
            grades = {name: float(len(order) - place) for place, name in enumerate(order)}
        if not any(grade > 0 for grade in grades.values()) or any(not 0 <= g <= 100 for g in grades.values()):
            raise ValueError(
                f"task {task.key!r}: reference answer {task.answer[:200]!r} has no grade above 0, or one that is no "
                'number in 0 to 100; write {"name": grade, …} or names in their order'
            )
        return grades

    def _worth(self, grades: Sequence[float]) -> float:
        gains = [grade if self.gain == "linear" else 2.0**grade - 1 for grade in grades[: self.k]]
        return math.fsum(gain / math.log2(place + 2) for place, gain in enumerate(gains))


def _order(text: str) -> list[str]:
    try:
        said = read_json(fenced(text, "json"))
    except ValueError:
        parts = re.split(r"[\n,>]", text)
        return [name for part in parts if (name := re.sub(r"^\s*(?:\d+[.)]|[-*•])\s+", "", part).strip(" \t\r`\"'[]"))]
    if isinstance(said, Mapping):
        return sorted(map(str, said), key=lambda name: -_number(said[name]))
    return [_name(each) for each in said] if isinstance(said, list) else [_name(said)]


def _name(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _number(value: Any) -> float:
    """A grade, −1 for what is none."""
    number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9
    return float(value) if number else -1.0
