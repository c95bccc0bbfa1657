"""Difficulty as a smaller model sees it, against difficulty as the student itself sees it.

Claim: a model with a fraction of the student's parameters orders samples by instruction-following difficulty much as
the student does, and what it chooses teaches as much.

Papers: Li et al. 2023, arXiv:2308.12032 (IFD); Li et al. 2024, arXiv:2402.00530 (Superfiltering).

Protocol: a pool of 8,000 samples, of which 2,000 are chosen and gone over four times: seven in ten of a skill that the
student has mastered, three in ten of three that it has not, all with answers of one length, and one in ten with the
answer of another sample. `small` has half the student's width, a quarter of its parameters; `tiny` has three eighths of
its width and one layer instead of two, a ninth of them; each learned the same first samples as the student. Expected:
rank correlation with the student's difficulty (`agreement`) above 0.5 for both, and lower for `tiny`; all choices by
difficulty better than the draw at what is new, and with fewer misfits.
"""

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from random import Random
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...scenarios.schema import Student
from ...training.curation.pool import Context, Pool
from ...training.curation.scorers.ifd import Ifd
from ...training.curation.scorers.perplexity import Perplexity
from ...training.curation.selectors.random import Random as Drawn
from ...training.curation.selectors.top import Top
from ..bench.experiment import Arm, Experiment, Figure, Outcome
from ..bench.pools import pool as as_pool
from ..bench.pupil import SIZE, Pupil, State
from ..bench.tasks import Item, draw, mixture, right

MASTERED = "reverse-5"
NEW = ("copy-5", "sort-5", "add-4")
SHARES = {MASTERED: 0.7, **dict.fromkeys(NEW, 0.1)}
FIRST = {MASTERED: 4, "copy-3": 1, "sort-3": 1, "add-2": 1}
FIRST_SAMPLES = 16_000
POOL, BUDGET, EPOCHS = 8_000, 2_000, 4
MISFIT = 0.1
"""Share of the pool with the answer of another sample."""
Size = Literal["student", "small", "tiny"]
SIZES: Mapping[Size, Student] = {
    "student": SIZE,
    "small": Student(hidden=32, layers=2, heads=2),
    "tiny": Student(hidden=24, layers=1, heads=2),
}
EXAM = 150
BASELINE = "fair draw"
Scores = NDArray[np.float64]
Score = Callable[[Pool, int], Scores]


def experiment() -> Experiment:
    """Difficulty by three readers, perplexity, and a fair draw."""
    ways: dict[str, Score | None] = {
        BASELINE: None,
        "ifd by the student": lambda pool, seed: _own(seed),
        "ifd by small": partial(_difficulty, size="small"),
        "ifd by tiny": partial(_difficulty, size="tiny"),
        "highest perplexity": _perplexity,
    }
    return Experiment(
        claim="a smaller model's difficulty orders samples as the student's does, and chooses as well",
        expected="rank correlation above 0.5, both difficulties better than the draw and with few misfits",
        arms=[Arm(name, partial(_run, way)) for name, way in ways.items()],
        baseline=BASELINE,
        figures=[
            Figure("macro"),
            Figure("kept"),
            Figure("misfits", better="lower"),
            Figure("agreement"),
        ],
        protocol={
            "shares": SHARES, "first": FIRST, "first_samples": FIRST_SAMPLES, "pool": POOL, "budget": BUDGET,
            "epochs": EPOCHS, "misfit": MISFIT, "exam": EXAM,
            "sizes": {name: [size.hidden, size.layers, size.heads] for name, size in SIZES.items()},
        },
    )  # fmt: skip


def _run(way: Score | None, seed: int) -> Outcome:
    items = _samples(seed)
    pool = as_pool(items)
    own_S = _own(seed)
    if way is None:
        scores_S = np.random.default_rng(seed).random(len(pool))
        chosen = Drawn().select(pool, scores_S, BUDGET, seed=seed)
    else:
        scores_S = way(pool, seed)
        chosen = Top().select(pool, scores_S, BUDGET, seed=seed)
    pupil = Pupil(seed).restore(_beginner(seed, "student"))
    pupil.study([items[i] for i in chosen], epochs=EPOCHS, rng=Random(f"study {seed}"))
    marks = pupil.marks({s: draw(s, EXAM, Random(f"exam {seed} {s}"), of="exam") for s in SHARES})
    figures = {
        "macro": sum(marks[skill] for skill in NEW) / len(NEW),
        "kept": marks[MASTERED],
        "misfits": sum(not right(items[i]) for i in chosen) / len(chosen),
        "agreement": float(np.corrcoef(_ranks(scores_S), _ranks(own_S))[0, 1]),
    }
    return Outcome(figures, notes={"marks": dict(marks), "above 1": float((own_S < 0).mean())})


def _samples(seed: int) -> list[Item]:
    rng = Random(f"pool {seed}")
    items = mixture(SHARES, POOL, rng)
    wrong = rng.sample(range(POOL), int(MISFIT * POOL))
    answers = {i: items[j].answer for i, j in zip(wrong, [*wrong[1:], wrong[0]], strict=True)}
    return [item._replace(answer=answers.get(i, item.answer)) for i, item in enumerate(items)]


@lru_cache(maxsize=4)
def _beginner(seed: int, size: Size) -> State:
    pupil = Pupil(seed, size=SIZES[size])
    pupil.learn(mixture(FIRST, FIRST_SAMPLES, Random(f"first {seed}")))
    return pupil.state()


def _saved(seed: int, size: Size, folder: str) -> Path:
    return Pupil(seed, size=SIZES[size]).restore(_beginner(seed, size)).save(Path(folder))


def _difficulty(pool: Pool, seed: int, *, size: Size) -> Scores:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(Ifd(model=str(_saved(seed, size, folder))).score(pool, Context(seed=seed)))


@lru_cache(maxsize=1)
def _own(seed: int) -> Scores:
    """Difficulty as the student sees it."""
    return _difficulty(as_pool(_samples(seed)), seed, size="student")


def _perplexity(pool: Pool, seed: int) -> Scores:
    with tempfile.TemporaryDirectory() as folder:
        part = Perplexity(prefer="high", model=str(_saved(seed, "student", folder)))
        return asyncio.run(part.score(pool, Context(seed=seed)))


def _ranks(values_S: Scores) -> NDArray[np.int64]:
    return np.argsort(np.argsort(values_S, kind="stable"), kind="stable")
