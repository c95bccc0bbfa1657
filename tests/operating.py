"""Operators played on sums written ones first, seeing only the request: numbered items, examples, what is wanted."""

import random
from collections.abc import Collection, Mapping
from typing import Any

from .judging import solve

WRONG = 0.1
"""Share of answers that are wrong."""
EDIT = "edit the question as little as possible"
"""How a request for the smallest edit that changes an answer is known."""


def operate(body: Mapping[str, Any], given: Mapping[str, Any], wanted: Collection[str]) -> list[dict[str, Any]]:
    """Write for each number what is wanted."""
    rng, prompt = random.Random(body.get("seed", 0)), body["messages"][-1]["content"]
    pairs = [example["question"] for example in given["examples"]]
    return [
        {"number": item["number"]}
        | {name: text for name, text in _one(item, pairs, prompt, rng).items() if name in wanted}
        for item in given["items"]
    ]


def _one(item: Mapping[str, Any], examples: list[str], prompt: str, rng: random.Random) -> dict[str, str]:
    own = item.get("question", "")
    if not own:
        question = _asking(item["solution"], rng.choice(examples))
    elif "ask the same in another way" in prompt:
        a, b = own.split("+")
        question = f"{b}+{a}"
    elif "write the reasoning" in prompt:
        question = own
    elif EDIT in prompt:
        place = rng.randrange(own.index("+"))
        question = own[:place] + str(1 + int(own[place]) % 9) + own[place + 1 :]
    else:
        question = _mixed([own, item.get("to be joined with", {}).get("question", examples[0]), *examples], rng)
    return {"question": question, "reasoning": f"columns of {question} in turn", "solution": _solved(question, rng)}


def _asking(solution: str, like: str) -> str:
    """A sum with this result, whose first number is that of another sum where it can be."""
    total, width = int(solution[::-1]), like.index("+")
    low, high = 10 ** (width - 1), 10**width - 1
    first = min(max(int(like[:width][::-1]), total - high), max(low, total - low))
    return f"{str(first)[::-1]}+{str(total - first)[::-1]}"


def _mixed(sums: list[str], rng: random.Random) -> str:
    """A sum whose columns come from others, half of them from the first two."""
    pairs = [text.split("+") for text in sums]
    columns = [rng.choice([pairs[0], pairs[1], rng.choice(pairs)]) for _ in range(len(pairs[0][0]))]
    a, b = ("".join(pair[side][i] for i, pair in enumerate(columns)) for side in (0, 1))
    return f"{a}+{b}"


def _solved(question: str, rng: random.Random) -> str:
    solution = solve(question)
    return solution if rng.random() >= WRONG else solution[:-1] + str((int(solution[-1]) + 1) % 10)
