"""What asking the student costs: exams by teacher forcing against generation, and probes that stop when they may.

A greedy exam under the `exact` verifier passes an item exactly when the arg-max at every answer position is the
reference, so one forward pass replaces a generation; the ratio of their times is a figure, not a promise. Probing
stops by Wald's sequential test; it is compared with the smallest fixed number of items whose two errors are both at
most those the sequential test was seen to make.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..agents.parts import Parts
from ..memory.inference import Request
from ..memory.statistics import sprt
from ..scenarios import loader
from ..scenarios.schema import Probing
from ..scenarios.splits import Splits
from ..training import student
from ..training.trainer import MODEL, write_rows
from ..training.trainers.sft import Sft
from .machine import ROOT, Check, keep, median_and_range

ITEMS = 1400
STEPS = 250
"""Training steps after which the student gets some items right and some wrong."""
SESSIONS = 4000
MOST = 2000
"""Items after which an undecided sequential test counts as an error."""
LONGEST = 16
"""Tokens an answer may have."""


def main(argv: Sequence[str] | None = None) -> list[Check]:
    """Measure, print and keep the result."""
    parser = argparse.ArgumentParser(prog="evolvent.benchmarks.inference", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args(argv)
    since = time.perf_counter()
    exam = exams(repeats=options.repeats, steps=options.steps)
    probing = probes(Probing(), seed=0)
    checks = [
        Check(f"teacher forcing agrees with generation on {exam['items']} items",
              f"{exam['agreeing']} of {exam['items']}", "all", exam["agreeing"] == exam["items"]),
        Check("fixed over sequential probe, a look per item", f"{probing['every item']['saving']:.1f}x", ">= 2x",
              probing["every item"]["saving"] >= 2),
    ]  # fmt: skip
    print(f"exam: {exam}\nprobing: {probing}")
    path = keep("inference", {"exam": exam, "probing": probing}, checks, seconds=time.perf_counter() - since)
    print("\n".join(c.line() for c in checks), f"\nwritten to {path}")
    return checks


def exams(*, repeats: int, steps: int) -> dict[str, Any]:
    """Give the same items to the same student both ways, in turn."""
    path = ROOT / "scenarios" / "arithmetic.toml"
    scenario = loader.load(path)
    parts = Parts.resolve(scenario, str(path))
    splits, skills = Splits(scenario, parts.source, 0), sorted(scenario.skills)
    with tempfile.TemporaryDirectory() as folder:
        rows = [t for s in skills for t in splits.draw(s, "train", 800, stream="benchmark")]
        write_rows(Path(folder), [(t.id, t.prompt, t.answer) for t in rows])
        student.build(scenario.student, Path(folder, "untrained"), seed=0)
        Sft().train(Path(folder), start=Path(folder, "untrained"), seed=0, steps=steps)
        engine = parts.engine.open(Path(folder, MODEL))
    tasks = [t for s in skills for t in splits.draw(s, "report", ITEMS // len(skills), stream="benchmark")]
    forced: list[bool] = []
    generated: list[bool] = []
    seconds: list[float] = []
    walls: list[float] = []
    cpus: list[float] = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        forced = asyncio.run(engine.agrees([(t.prompt, t.answer) for t in tasks]))
        middle, middle_cpu = time.perf_counter(), time.process_time()
        answers = asyncio.run(engine.answer([Request(t.prompt, LONGEST) for t in tasks]))
        generated = [a.complete and a.text == t.answer for a, t in zip(answers, tasks, strict=True)]
        seconds.append(middle - wall)
        walls.append((time.perf_counter() - middle) / (middle - wall))
        cpus.append((time.process_time() - middle_cpu) / (middle_cpu - cpu))
    return {
        "items": len(tasks),
        "passed": sum(generated),
        "agreeing": sum(f == g for f, g in zip(forced, generated, strict=True)),
        "forced_seconds": median_and_range(seconds),
        "speedup": median_and_range(walls),
        "speedup_cpu": median_and_range(cpus),
    }


def probes(settings: Probing, *, seed: int) -> dict[str, Any]:
    """Simulate skills that stand exactly at the two rates the test has to tell apart, where it works hardest."""
    rng = np.random.default_rng(seed)
    sessions = [*range(settings.least, settings.most, settings.batch), settings.most]
    return {
        "failing": settings.failing,
        "mastered": settings.mastered,
        "every item": _against_fixed(rng, settings, range(1, MOST + 1)),
        "as a session looks": _against_fixed(rng, settings, sessions),
        "clear cases, every item": {
            str(rate): _sequential(rng, rate, settings, range(1, MOST + 1))["items"] for rate in (0.0, 0.5, 1.0)
        },
    }


def _against_fixed(rng: np.random.Generator, settings: Probing, looks: Sequence[int]) -> dict[str, Any]:
    failing = _sequential(rng, settings.failing, settings, looks)
    mastered = _sequential(rng, settings.mastered, settings, looks)
    errors = failing["mastered"], 1 - mastered["mastered"]
    fixed = _fixed(settings, *errors)
    items = {"failing": failing["items"], "mastered": mastered["items"]}
    return {"errors": errors, "items": items, "fixed_items": fixed, "saving": 2 * fixed / sum(items.values())}


def _sequential(rng: np.random.Generator, rate: float, settings: Probing, looks: Sequence[int]) -> dict[str, float]:
    """Mean items until the real test decides, and how often it says `mastered`; undecided to the end is not."""
    passed_SI = (rng.random((SESSIONS, looks[-1])) < rate).cumsum(axis=1)
    used, mastered = 0, 0
    for passed_I in passed_SI:
        tried, verdict = looks[0], "undecided"
        for tried in looks:
            verdict = sprt(
                int(passed_I[tried - 1]), tried, failing=settings.failing, mastered=settings.mastered,
                error=settings.error,
            )  # fmt: skip
            if verdict != "undecided":
                break
        used, mastered = used + tried, mastered + (verdict == "mastered")
    return {"items": used / SESSIONS, "mastered": mastered / SESSIONS}


def _fixed(settings: Probing, missed: float, doubted: float) -> int:
    """Fewest items and a threshold with both errors at most these; exact binomial tails."""
    from math import comb

    for items in range(1, MOST):
        for allowed in range(items + 1):
            wrong = [
                sum(comb(items, k) * (1 - p) ** k * p ** (items - k) for k in range(allowed + 1))
                for p in (settings.failing, settings.mastered)
            ]
            if wrong[0] > missed:
                break
            if 1 - wrong[1] <= doubted:
                return items
    raise ValueError(f"{MOST} items are too few for errors {missed:.3f} and {doubted:.3f}")


if __name__ == "__main__":
    main()
