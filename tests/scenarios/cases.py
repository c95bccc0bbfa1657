"""Tasks that each verifier has to judge, with an answer that is nearly right; a new verifier needs a case here."""

import json
from dataclasses import dataclass
from typing import Any

from evolvent.memory.records import Task

from .builders import make_task

SHOP = "CREATE TABLE sold (item TEXT, price REAL); INSERT INTO sold VALUES ('tea', 2.5), ('jam', 4), ('tea', 3);"
PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name", "age"],
}
DOUBLE = 'def double(x):\n    """Give twice x."""\n'
DOUBLED = "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(-1) == -2\n"
SQUARE = 'def square(x):\n    """Give x times x."""\n'
SQUARED = "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(-1) == 1\n"
CALL = '[{"name": "add", "arguments": {"a": 1, "b": [2, 3]}}]'
SUM = "State the final answer to the following arithmetic problem"
ITEM = '{"config":"{}","items":64,"level":0,"levels":[],"number":NUMBER,"task":"chain_sum"}'


@dataclass(frozen=True)
class Case:
    """A verifier's settings, two tasks, and for each an answer that is nearly its reference."""

    tasks: tuple[Task, Task]
    mutants: tuple[str, str]
    settings: dict[str, Any]


def case(
    *pairs: tuple[str, str], checks: tuple[str, str] = ("", ""), prompts: tuple[str, str] = ("p", "q"), **s: Any
) -> Case:
    """Make one of pairs of reference and mutant."""
    (first, wrong), (second, other) = pairs
    tasks = tuple(
        make_task(answer=answer, prompt=prompt, key=prompt).model_copy(update={"checks": given})
        for answer, prompt, given in zip((first, second), prompts, checks, strict=True)
    )
    return Case((tasks[0], tasks[1]), (wrong, other), s)


NUMBERS = (("12", "13"), ("-3.5", "3.5"))
CASES = {
    "all_of": case(*NUMBERS, parts=["numeric", "exact"]),
    "any_of": case(*NUMBERS, parts=["numeric", "exact"]),
    "choice": case(("B", "C"), ("(d)", "(e)")),
    "exact": case(("12", "12."), ("1,000", "1000")),
    "f1": case(("the Norman conquest", "the Norman"), ("1066", "1067")),
    "json_schema": case(
        ('{"name": "Ann", "age": 3}', '{"name": "Ann", "age": 4}'),
        ('{"age": 5, "name": "Bo"}', '{"age": -5, "name": "Bo"}'),
        definition=PERSON,
    ),
    "math": case((r"\frac{1}{2}", r"\frac{1}{3}"), ("x^2+1", "x^2-1")),
    "numeric": case(*NUMBERS),
    "python": case(
        ("    return 2 * x", "    return 2 + x"),
        ("    return x * x", "    return x * 2"),
        checks=(DOUBLED, SQUARED),
        prompts=(DOUBLE, SQUARE),
    ),
    "ranking": case((json.dumps({"d1": 2, "d2": 1, "d3": 0}), '["d2", "d1"]'), ("d7, d5, d6", "d5, d7, d6")),
    "reasoning_gym": case(
        ("-4", "4"),
        ("3", "-3"),
        checks=(ITEM.replace("NUMBER", "0"), ITEM.replace("NUMBER", "1")),
        prompts=(f"{SUM}: 0 - 4 =", f"{SUM}: 4 - 1 ="),
    ),
    "regex": case(("12", "13"), ("1.5", "1x5"), pattern="^{answer}$"),
    "rubric": case(("570", "580"), ("460", "640"), prompts=("21+36", "12+34")),
    "sql": case(
        ("SELECT item FROM sold WHERE price > 2.6", "SELECT item FROM sold WHERE price > 2.4"),
        ("SELECT sum(price) FROM sold", "SELECT max(price) FROM sold"),
        checks=(SHOP, SHOP),
    ),
    "tool_calls": case((CALL, CALL.replace("1", "7")), ("no call is needed", "no call is needed!")),
    "weighted": case(*NUMBERS, parts=["numeric", "exact"], weights=[3, 1]),
}
"""By the verifier's name."""
