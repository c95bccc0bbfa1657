"""Scores answers with the scorers of reasoning-gym: what verifier `reasoning_gym` has done in a process of its own.

Some of its scorers evaluate an answer as a formula of Python, which may do anything: hence the process.
"""

import contextlib
import json
from functools import lru_cache
from importlib import import_module
from typing import Any

from ..memory.errors import PartError
from ..memory.files import canonical
from . import gym
from .worker import Overrun, worker

SECONDS, MEMORY = 20.0, 4 << 30
"""What making an item again and scoring an answer may take: time, and bytes of address space."""
NONSENSE = "no answer"
LOOKED = 16
"""Items on which a scorer is tried before it is trusted."""

if gym.installed():
    with contextlib.suppress(ImportError):
        # it reads and writes as it loads, which later is not allowed
        import_module(gym.PACKAGE)


def checks(made: gym.Recipe, number: int) -> str:
    """Say what a task is made from, as a task carries it."""
    return canonical({**made._asdict(), "number": number})


def recipe(checks: str) -> tuple[gym.Recipe, int]:
    """Read what a task is made from, as `checks` has it: the recipe and the item's number."""
    said: dict[str, Any] = json.loads(checks)
    levels = tuple((str(name), int(level)) for name, level in said["levels"])
    return gym.Recipe(said["task"], said["items"], said["level"], levels, said["config"]), said["number"]


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Score an answer.

    Args:
        request: `checks`, the `prompt` that they stand for, and `answer`.

    Returns:
        A `score` from 0 to 1, and a `reason`; or why the task is `broken`.
    """
    try:
        made, number = recipe(request["checks"])
        dataset = gym.generator(made)
        entry = dataset[number]
    except (PartError, ValueError, KeyError, TypeError, ImportError) as error:
        return {"broken": str(error)}
    if str(entry["question"]) != request["prompt"]:
        return {"broken": "reasoning-gym makes another question of it in another process"}
    try:
        score = float(dataset.score_answer(request["answer"], entry))
    except Exception as error:  # whatever a scorer stumbles over is an answer that it cannot read
        return {"score": 0.0, "reason": f"its scorer cannot read it: {type(error).__name__}"}
    return {"score": min(1.0, max(0.0, score)), "reason": "" if score >= 1 else f"its scorer gives {score:.3g}"}


@lru_cache(maxsize=64)
def fault(made: gym.Recipe) -> str:
    """Say why the answers to a recipe's items cannot be judged; empty where they can.

    Raises:
        PartError: the package does not take the recipe.
    """
    for number in range(LOOKED):
        item = gym.item(made, number)
        if not item.answer:
            return "knows no reference answers, which training and exams need"
        own, other = (_scored(made, number, item.question, text) for text in (item.answer, NONSENSE))
        if "broken" in own:
            return "makes other questions in another process, so that nobody could score an answer"
        if own["score"] < 1:
            return f"has a scorer that refuses its own reference, {item.answer[:80]!r}: {own['reason']}"
        if other["score"] >= 1:
            return f"has a scorer that takes {NONSENSE!r} for right"
    return ""


def _scored(made: gym.Recipe, number: int, prompt: str, answer: str) -> dict[str, Any]:
    request = {"checks": checks(made, number), "prompt": prompt, "answer": answer}
    try:
        return worker("scores", MEMORY).ask(request, seconds=SECONDS)
    except Overrun as error:
        return {"score": 0.0, "reason": f"scoring it {error}"}
