"""A table of few rows: more of them by a generator, and those kept that do not contradict the real ones.

Claim: a classifier trained on few real rows and generated ones is better on real rows if generated rows are discarded
whose label the learning dynamics of a classifier boosted on the real rows confidently contradict.

Paper: Seedat et al. 2024, arXiv:2312.12112 (CLLM), there with a language model as generator among others; here the
generators are statistical ones, since no model of that kind was at hand.

Protocol: four real tables of scikit-learn; half of each is the exam, n rows of the other half are known. Each
generator makes 500 rows of them. 100 boosting rounds on the n rows are the checkpoints, and `Dynamics` with the
source's thresholds says what goes: confidence at most 0.2 with uncertainty at most 0.2 (`curated`), or at most 0.75 of
its range (`adaptive`, the tutorial's; of a classifier that is sure of everything that range is narrow, and little
goes). `random` keeps as many rows as `curated`, drawn; `oracle` keeps rows whose label a forest trained on the whole
half of known and unknown rows gives.
Figures are areas under the ROC curve and accuracy on the exam, mean of a forest and a logistic regression, over
tables, generators and n; `wrong` is the share of kept rows whose label is not the oracle's. Areas by generator, by n
(few tables have many rows: 200 are two tables, 100 three) and by table follow. Expected: `curated` above `all` for
generators with wrong labels (`copula`), most at small n, below `oracle`.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from itertools import product
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...training.curation.boosting import contradicted, watched
from ...training.curation.generation import GENERATORS, Rows
from ..bench.comparing import column, compare
from ..bench.experiment import Arm, Experiment, Figure, Json, Outcome
from ..bench.tables import Marks, agreed, divided, judged, real

PROTOCOL: Json = {
    "tables": ["breast_cancer", "diabetes", "wine", "digits"], "known": [20, 50, 100, 200], "made": 500,
    "unlikely": 0.2, "certain": 0.2,
}  # fmt: skip
LARGEST = {"wine": 50, "digits": 100}
"""Rows that are known at most: wine has too few for more, and boosting on digits takes long."""
How = Literal["all", "real", "curated", "adaptive", "random", "oracle"]
AREA = Figure("area")
BEATEN: Sequence[How] = ("all", "random", "real")
"""What curation is held against."""


def experiment() -> Experiment:
    """Real rows alone, all that a generator makes, and what is kept of it in four ways."""
    hows: tuple[How, ...] = ("all", "real", "curated", "adaptive", "random", "oracle")
    figures = [AREA, Figure("accuracy"), Figure("kept"), Figure("wrong", better="lower")]
    figures += [Figure(name) for name in (*GENERATORS, *map(_few, PROTOCOL["known"]), *PROTOCOL["tables"])]
    return Experiment(
        claim="learning dynamics on few real rows find generated ones that do harm, and a classifier is better without",
        expected="curated above all with the copula and at small n, below the oracle; random not above all",
        arms=[Arm(how, partial(_run, how)) for how in hows],
        baseline="all",
        figures=figures,
        protocol=PROTOCOL,
        checks=_checks,
    )


def _checks(outcomes: Mapping[str, Sequence[Outcome]]) -> list[tuple[str, str, str, bool]]:
    """The claim, and whether the rows that are kept do more than as many drawn ones, and than none."""
    found: list[tuple[str, str, str, bool]] = []
    for other in BEATEN:
        against = compare(column(outcomes["curated"], AREA), column(outcomes[other], AREA), AREA)
        low, high = against.interval
        said = f"{against.against:+.4f} [{low:+.4f}, {high:+.4f}]"
        found.append((f"area of curated minus {other}", said, "above 0", low > 0))
    return found


class Cell(NamedTuple):
    """A table of few rows, and what a generator made of it."""

    table: str
    generator: str
    known: Rows
    exam: Rows
    made: Rows
    likely_ES: NDArray[np.float64]
    """Probability of each generated row's label after every boosting round."""
    right_S: NDArray[np.bool_]
    """Generated rows whose label is the oracle's."""
    alone: Marks
    """What the known rows come to by themselves."""


@lru_cache(1)
def _cells(seed: int) -> list[Cell]:
    """Every table, size and generator; the same in every arm."""
    cells: list[Cell] = []
    for table, few in product(PROTOCOL["tables"], PROTOCOL["known"]):
        if few > LARGEST.get(table, few):
            continue
        known, unknown, exam = divided(real(table), few, np.random.default_rng([seed, few]))
        made = [
            generate(known, PROTOCOL["made"], np.random.default_rng([seed, few, number]))
            for number, generate in enumerate(GENERATORS.values())
        ]
        every = made[0].join(made[1].join(made[2]))
        likely_ES, right_S = watched(known, every, seed=seed), agreed(known.join(unknown), every, seed=seed)
        alone = judged(known, exam, seed=seed)
        for number, (generator, rows) in enumerate(zip(GENERATORS, made, strict=True)):
            own = slice(number * PROTOCOL["made"], (number + 1) * PROTOCOL["made"])
            cells.append(Cell(table, generator, known, exam, rows, likely_ES[:, own], right_S[own], alone))
    return cells


def _run(how: How, seed: int) -> Outcome:
    found: list[Json] = []
    for cell in _cells(seed):
        kept_S = _kept(how, cell, seed=seed)
        marks = judged(cell.known.join(cell.made.take(kept_S)), cell.exam, seed=seed) if kept_S.any() else cell.alone
        found.append(
            {
                "table": cell.table,
                "generator": cell.generator,
                "few": _few(len(cell.known.labels_S)),
                **marks._asdict(),
                "kept": float(kept_S.mean()),
                "wrong": float((~cell.right_S[kept_S]).mean()) if kept_S.any() else 0.0,
            }
        )
    figures = {name: float(np.mean([one[name] for one in found])) for name in ("area", "accuracy", "kept", "wrong")}
    for by, names in {
        "generator": GENERATORS,
        "few": map(_few, PROTOCOL["known"]),
        "table": PROTOCOL["tables"],
    }.items():
        figures |= {name: float(np.mean([one["area"] for one in found if one[by] == name])) for name in names}
    return Outcome(figures, notes={"cells": found})


def _kept(how: How, cell: Cell, *, seed: int) -> NDArray[np.bool_]:
    """Which of the generated rows are trained on."""
    gone_S = contradicted(cell.likely_ES, unlikely=PROTOCOL["unlikely"], certain=PROTOCOL["certain"])
    match how:
        case "all" | "real":
            return np.full(len(gone_S), how == "all")
        case "curated":
            return ~gone_S
        case "adaptive":
            return ~contradicted(cell.likely_ES, unlikely=PROTOCOL["unlikely"], certain=0.0)
        case "random":
            return np.random.default_rng(seed).permutation(~gone_S)
        case "oracle":
            return cell.right_S


def _few(rows: int) -> str:
    return f"n = {rows}"
