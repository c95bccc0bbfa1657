"""A table of few rows: more of them by a generator, and those kept that do not contradict the real ones.

Claim: a classifier trained on few real rows and generated ones is better on real rows if generated rows are discarded
whose label the learning dynamics of a classifier boosted on the real rows confidently contradict.

Paper: Seedat et al. 2024, arXiv:2312.12112 (CLLM), there with a language model as generator among others; here the
generators are statistical ones, since no model of that kind was at hand.

Protocol: three real tables of scikit-learn; half of each is the exam, n rows of the other half are known. Each
generator makes 500 rows of them. 100 boosting rounds on the n rows are the checkpoints, and `Dynamics` with the
source's thresholds says what goes: confidence at most 0.2 with uncertainty at most 0.2 (`curated`), or at most 0.75 of
its range (`adaptive`, the tutorial's; of a classifier that is sure of everything that range is narrow, and nothing
goes). `random` keeps as many rows as `curated`, drawn; `oracle` keeps rows whose label a forest trained on the whole
half of known and unknown rows gives.
Figures are areas under the ROC curve on the exam, mean of a forest and a logistic regression, over tables, generators
and n. Expected: `curated` above `all` for generators with wrong labels (`copula`), most at small n, below `oracle`.
"""

from collections.abc import Mapping
from functools import lru_cache, partial
from itertools import product
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...training.curation.scorers.dynamics import Dynamics
from ..bench.experiment import Arm, Experiment, Figure, Json, Outcome
from ..bench.tables import GENERATORS, Rows, agreed, divided, judged, real, watched

PROTOCOL: Json = {
    "tables": ["breast_cancer", "wine", "digits"], "known": [20, 50, 100, 200], "made": 500,
    "unlikely": 0.2, "certain": 0.2,
}  # fmt: skip
LARGEST = {"wine": 50, "digits": 100}
"""Rows that are known at most: wine has too few for more, and boosting on digits takes long."""
How = Literal["all", "real", "curated", "adaptive", "random", "oracle"]


def experiment() -> Experiment:
    """Real rows alone, all that a generator makes, and what is kept of it in four ways."""
    hows: tuple[How, ...] = ("all", "real", "curated", "adaptive", "random", "oracle")
    figures = [Figure("area"), *(Figure(name) for name in GENERATORS)]
    figures += [Figure(f"n = {few}") for few in PROTOCOL["known"]]
    return Experiment(
        claim="learning dynamics on few real rows find generated ones that do harm, and a classifier is better without",
        expected="curated above all with the copula and at small n, below the oracle; random not above all",
        arms=[Arm(how, partial(_run, how)) for how in hows],
        baseline="all",
        figures=[*figures, Figure("kept")],
        protocol=PROTOCOL,
        seeds=10,
    )


class Cell(NamedTuple):
    """A table of few rows, and what a generator made of it."""

    generator: str
    known: Rows
    unknown: Rows
    exam: Rows
    made: Rows
    contradicted_S: NDArray[np.bool_]
    """Generated rows that the learning dynamics discard."""
    adaptively_S: NDArray[np.bool_]
    """Those that they discard where the threshold of uncertainty follows from its range."""


@lru_cache(1)
def _cells(seed: int) -> list[Cell]:
    """Every table, size and generator; the same in every arm."""
    cells: list[Cell] = []
    for table, few in product(PROTOCOL["tables"], PROTOCOL["known"]):
        if few > LARGEST.get(table, few):
            continue
        known, unknown, exam = divided(real(table), few, np.random.default_rng([seed, few]))
        for number, (name, generate) in enumerate(GENERATORS.items()):
            made = generate(known, PROTOCOL["made"], np.random.default_rng([seed, few, number]))
            likely_ES = watched(known, made, seed=seed)
            fixed, adaptive = (
                Dynamics(unlikely=PROTOCOL["unlikely"], certain=certain).judge(likely_ES) < 0
                for certain in (PROTOCOL["certain"], 0.0)
            )
            cells.append(Cell(name, known, unknown, exam, made, fixed, adaptive))
    return cells


def _run(how: How, seed: int) -> Outcome:
    found: list[Mapping[str, Any]] = []
    for cell in _cells(seed):
        kept_S = _kept(how, cell, seed=seed)
        area = judged(cell.known.join(cell.made.take(kept_S)), cell.exam, seed=seed)
        found.append(
            {"generator": cell.generator, "few": len(cell.known.labels_S), "area": area, "kept": kept_S.mean()}
        )
    figures = {"area": _mean(found)} | {name: _mean(found, generator=name) for name in GENERATORS}
    figures |= {f"n = {few}": _mean(found, few=few) for few in PROTOCOL["known"]}
    return Outcome({**figures, "kept": float(np.mean([one["kept"] for one in found]))})


def _kept(how: How, cell: Cell, *, seed: int) -> NDArray[np.bool_]:
    """Which of the generated rows are trained on."""
    match how:
        case "all" | "real":
            return np.full(len(cell.made.labels_S), how == "all")
        case "curated":
            return ~cell.contradicted_S
        case "adaptive":
            return ~cell.adaptively_S
        case "random":
            return np.random.default_rng(seed).permutation(~cell.contradicted_S)
        case "oracle":
            return agreed(cell.known.join(cell.unknown), cell.made, seed=seed)


def _mean(found: list[Mapping[str, Any]], **which: Any) -> float:
    return float(np.mean([one["area"] for one in found if which.items() <= one.items()]))
