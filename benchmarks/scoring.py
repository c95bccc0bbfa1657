"""What scoring costs as pools grow, by scorer: CPU seconds, memory, and how they grow; density against scikit-learn.

Vectors are 384 numbers long and lie in clusters of unequal size; texts are sums in words. The models that read and are
asked are untrained students of the default size, since what they say costs the same. Scorers that differentiate the
student measure as many samples as their settings say and fit the rest on vectors. `--rival PYTHON` names an interpreter
that has scikit-learn; its time for all vectors follows from its time for the first of them.
"""

import argparse
import asyncio
import json
import math
import resource
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..memory.embedder import Vectors
from ..scenarios.schema import Student
from ..training.curation.pool import Context, Pool, Row
from ..training.curation.scorer import Scorer
from ..training.curation.scorers.ask import Ask
from ..training.curation.scorers.compression import Compression
from ..training.curation.scorers.delt import Delt
from ..training.curation.scorers.density import Density
from ..training.curation.scorers.dynamics import Dynamics
from ..training.curation.scorers.ifd import Ifd
from ..training.curation.scorers.influence import Influence
from ..training.curation.scorers.judge import Judge
from ..training.curation.scorers.length import Length
from ..training.curation.scorers.one_step import OneStep
from ..training.curation.scorers.perplexity import Perplexity
from ..training.curation.scorers.shapley import Shapley
from ..training.curation.sketch import bandwidth
from ..training.engines.transformers import Transformers
from ..training.student import build
from .machine import Check, keep

DIMENSIONS, CLUSTERS = 384, 200
SHORT = "{{ question }}|{{ answer }}"
"""Prompt of the models that are asked: the published ones are longer than a student of the default size reads."""
SCORERS: Mapping[str, Scorer] = {
    "length": Length(),
    "density": Density(),
    "density, hashes": Density(sketch="hashes"),
    "compression": Compression(),
    "perplexity": Perplexity(),
    "ifd": Ifd(),
    "ask": Ask(prompt=SHORT, yes=("y",)),
    "judge": Judge(prompt=SHORT),
    "dynamics": Dynamics(),
    "influence": Influence(),
    "one_step": OneStep(),
    "delt": Delt(),
    "shapley": Shapley(),
}
TARGETS = 64
"""Solved examples of what is to be learned, of one skill."""
QUERIES = 500
"""Vectors that the rival is asked for, of all."""
SLOPE = 1.15
TIMES = 100.0
MINUTES, GIB = 10.0, 4.0
GROWN = 2
"""Sizes, from the largest down, between which the exponent is taken: small ones are mostly fixed cost."""

RIVAL = "kernel_density"
"""Script that has scikit-learn do the same."""


def make_vectors(count: int) -> Vectors:
    """Clusters whose sizes fall as 1/rank, one spread twice as wide as another."""
    rng = np.random.default_rng(count)
    weights = 1 / np.arange(1, CLUSTERS + 1)
    owner = rng.choice(CLUSTERS, count, p=weights / weights.sum())
    centres = np.random.default_rng(0).standard_normal((CLUSTERS, DIMENSIONS), dtype=np.float32)
    spread = np.linspace(0.4, 0.8, CLUSTERS, dtype=np.float32)[owner, None]
    made = centres[owner] + spread * rng.standard_normal((count, DIMENSIONS), dtype=np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def make_pool(count: int) -> Pool:
    """Sums in words, no two alike, with vectors that have nothing to do with them."""
    rng = np.random.default_rng(count)
    numbers = rng.integers(10, 10_000, size=(count, 3))
    rows = (Row(f"{i:06}", f"what is {a} + {b} for {i}", str(c)) for i, (a, b, c) in enumerate(numbers.tolist()))
    vectors_SD = make_vectors(count)
    pool = Pool(tuple(rows), lambda texts: vectors_SD)
    assert len(pool.vectors_SD) == len(pool.texts) == count
    return pool


def measure(name: str, sizes: Sequence[int], context: Context) -> list[dict[str, float]]:
    """CPU and wall seconds of scoring pools of these sizes, and the most memory up to then."""
    found: list[dict[str, float]] = []
    for size in sizes:
        pool = make_pool(size)
        cpu, wall = time.process_time(), time.perf_counter()
        scores_S = asyncio.run(SCORERS[name].score(pool, context))
        assert np.isfinite(scores_S).all()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        spent = {"samples": size, "cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "gib": peak}
        found.append(spent)
        print(f"  {name:<16} {size:>8,}  {spent['cpu']:8.2f} s CPU  {spent['wall']:8.2f} s  {peak:.2f} GiB", flush=True)
    return found


def exponent(found: Sequence[Mapping[str, float]]) -> float:
    """Growth of CPU time between the two largest sizes: 1 is in proportion."""
    small, large = found[-GROWN], found[-1]
    return math.log(large["cpu"] / small["cpu"]) / math.log(large["samples"] / small["samples"])


def rival(python: str, size: int) -> dict[str, Any]:
    """Scikit-learn's time for all vectors of a pool, and how well density agrees with it."""
    pool = make_pool(size)
    width = bandwidth(pool.vectors_SD, seed=0)
    since = time.process_time()
    scores_S = asyncio.run(Density().score(pool, Context()))
    own = time.process_time() - since
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "vectors.npy", pool.vectors_SD)
        script = Path(__file__).parent / "rivals" / f"{RIVAL}.py"
        command = [python, "-P", str(script), str(Path(folder) / "vectors.npy"), str(width), str(QUERIES)]
        said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    logs = np.array(said.pop("logs"))
    whole = said["fit"] + said["ask"] * size / QUERIES
    agreement = float(np.corrcoef(_ranks(-scores_S[:QUERIES]), _ranks(logs))[0, 1])
    return {**said, "samples": size, "queries": QUERIES, "whole": whole, "own": own, "times": whole / own,
            "agreement": agreement}  # fmt: skip


def main(arguments: Sequence[str]) -> list[Check]:
    """Measure, keep and check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--only", nargs="+", choices=SCORERS, default=list(SCORERS))
    parser.add_argument("--read", type=int, default=100_000, help="samples at most where a model reads each")
    parser.add_argument("--rival", help="an interpreter with scikit-learn")
    options, began = parser.parse_args(arguments), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        build(Student(), Path(folder) / "student", seed=0)
        scorer = Transformers(device="cpu", model=str(Path(folder) / "student")).serve("scorer")
        context = Context(student=Path(folder) / "student", scorer=scorer, targets=make_pool(TARGETS))
        found = {
            name: measure(name, [n for n in options.sizes if n <= options.read or not _reads(name)], context)
            for name in options.only
        }
    against = rival(options.rival, options.sizes[-1]) if options.rival else None
    checks = list(_checks(found, against))
    keep("scoring", {"scorers": found, "sklearn": against}, checks, seconds=time.perf_counter() - began)
    print("\n".join(check.line() for check in checks))
    return checks


def _checks(found: Mapping[str, Sequence[Mapping[str, float]]], against: Mapping[str, Any] | None) -> list[Check]:
    checks: list[Check] = []
    for name, sizes in found.items():
        last = sizes[-1]
        said = f"{last['cpu']:.1f} s CPU, {last['gib']:.2f} GiB"
        met = last["cpu"] <= MINUTES * 60 and last["gib"] <= GIB
        checks.append(Check(f"{name}: {last['samples']:,} samples", said, f"<= {MINUTES:g} min, {GIB:g} GiB", met))
        if len(sizes) >= GROWN:
            slope = exponent(sizes)
            required = f"<= {SLOPE}" if name.startswith("density") else "(measured)"
            met = slope <= SLOPE or not name.startswith("density")
            checks.append(Check(f"{name}: exponent of its cost", f"{slope:.2f}", required, met))
    if against:
        said = f"{against['times']:.0f}x, rank correlation {against['agreement']:.3f}"
        met = against["times"] >= TIMES
        checks.append(Check(f"density against KernelDensity, {against['samples']:,}", said, f">= {TIMES:g}x", met))
    return checks


def _reads(name: str) -> bool:
    """Whether a model reads every sample."""
    return bool({"student", "scorer"} & SCORERS[name].needs)


def _ranks(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.argsort(np.argsort(values))


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
