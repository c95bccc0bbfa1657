"""Gradients as a guide: does what they choose help the target, and where does it not?

Claim: samples chosen by one-step influence, by LESS or by DELT's learnability–quality score teach a target skill that
the pool does not hold better than samples drawn at random.

Papers: Xia et al. 2024, arXiv:2402.04333 (LESS); Yu et al. 2024, arXiv:2406.06046 (MATES, one step); DELT, 2025,
arXiv:2506.21545.

Protocol: the target is to sort five digits. The mixed pool holds nine other skills and noise, of which sorting three or
four digits is related; the even pool holds nothing but the target skill. A student that has seen a little of the mixed
pool and of the target is where gradients are taken and where training goes on, a fifth of the pool, the same number of
steps. Scorers have their default settings and the same 64 targets; the two checkpoints that LESS sees are the student
half-way and as it is. `oracle` draws from what is related, and from everything in the even pool.
Expected: in the mixed pool all three take mostly what is related and beat `random`; in the even pool nothing beats it,
and top scores may hurt, since they are alike.
"""

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...training.curation.pool import Context, Pool
from ...training.curation.scorer import Scorer
from ...training.curation.scorers.delt import Delt
from ...training.curation.scorers.influence import Influence
from ...training.curation.scorers.one_step import OneStep
from ...training.curation.selectors.top import Top
from ..bench.experiment import Arm, Experiment, Figure, Json, Outcome
from ..bench.pools import pool
from ..bench.pupil import Pupil, State
from ..bench.scoring import practise, score
from ..bench.tasks import NOISE, Item, draw, mixture

TARGET = "sort-5"
RELATED = ("sort-3", "sort-4")
OTHERS = ("copy-3", "copy-4", "reverse-3", "reverse-4", "add-2", "add-3", "subtract-2", NOISE)
PROTOCOL: Json = {
    "target": TARGET, "related": RELATED, "others": OTHERS, "pool": 600, "keep": 120, "targets": 64, "steps": 100,
    "first steps": 100, "target in the first": 0.1, "examined": 300,
}  # fmt: skip
How = Literal["random", "one step", "less", "delt", "oracle"]
HOWS: tuple[How, ...] = ("random", "one step", "less", "delt", "oracle")
Kind = Literal["mixed", "even"]
KINDS: tuple[Kind, ...] = ("mixed", "even")


class First(NamedTuple):
    """The student that chooses and learns, half-way and as it is."""

    half: State
    whole: State


def experiment() -> Experiment:
    """Three scorers on a pool that is mixed and on one that is not."""
    return Experiment(
        claim="samples that gradients choose teach a target skill better than a random draw from a mixed pool",
        expected="less loss than random in the mixed pool with mostly related samples; no gain in the even pool",
        arms=[Arm(how, partial(_run, how)) for how in HOWS],
        baseline="random",
        figures=[
            Figure("loss mixed", better="lower"),
            Figure("passed mixed"),
            Figure("related mixed"),
            Figure("loss even", better="lower"),
            Figure("passed even"),
        ],
        protocol=PROTOCOL,
    )


def _run(how: How, seed: int) -> Outcome:
    exam = draw(TARGET, PROTOCOL["examined"], Random(f"{seed} exam"), of="exam")
    figures: dict[str, float] = {}
    taken: dict[str, dict[str, int]] = {}
    for kind in KINDS:
        items = _pool(kind, seed)
        kept = [items[i] for i in _choose(how, items, seed)]
        pupil = practise(Pupil(seed).restore(_first(seed).whole), kept, steps=PROTOCOL["steps"], rng=Random(seed))
        figures[f"loss {kind}"] = float(pupil.losses(exam).mean())
        figures[f"passed {kind}"] = float(pupil.passes(exam).mean())
        figures[f"related {kind}"] = float(np.mean([item.skill in (*RELATED, TARGET) for item in kept]))
        taken[kind] = {skill: sum(item.skill == skill for item in kept) for skill in sorted({i.skill for i in items})}
    before = Pupil(seed).restore(_first(seed).whole)
    known = {"loss before": float(before.losses(exam).mean()), "passed before": float(before.passes(exam).mean())}
    return Outcome(figures, notes={"taken": taken, **known})


def _choose(how: How, items: Sequence[Item], seed: int) -> NDArray[np.int64]:
    keep, rng = PROTOCOL["keep"], np.random.default_rng(seed)
    if how in ("random", "oracle"):
        related = [at for at, item in enumerate(items) if how == "random" or item.skill in (*RELATED, TARGET)]
        return rng.permutation(related)[:keep]
    scorers: dict[How, Scorer] = {"one step": OneStep(), "less": Influence(), "delt": Delt()}
    with TemporaryDirectory() as folder:
        students = [Pupil(seed).restore(state).save(Path(folder) / str(at)) for at, state in enumerate(_first(seed))]
        context = Context(
            seed=seed, student=students[-1], checkpoints=tuple(students), targets=_targets(seed), known=_seen(seed)
        )
        scores_S = score(scorers[how], pool(items), context)
    return Top().select(pool(items), scores_S, keep, seed=seed)


def _pool(kind: Kind, seed: int) -> list[Item]:
    rng, count = Random(f"{seed} {kind}"), PROTOCOL["pool"]
    if kind == "even":
        return draw(TARGET, count, rng)
    return mixture(dict.fromkeys((*RELATED, *OTHERS), 1.0), count, rng)


def _targets(seed: int) -> Pool:
    return pool(draw(TARGET, PROTOCOL["targets"], Random(f"{seed} targets"), of="probe"))


def _before(seed: int) -> list[Item]:
    share = float(PROTOCOL["target in the first"])
    shares: dict[str, float] = dict.fromkeys((*RELATED, *OTHERS), (1 - share) / len((*RELATED, *OTHERS)))
    shares[TARGET] = share
    return mixture(shares, PROTOCOL["first steps"] * 32, Random(f"{seed} first"))


def _seen(seed: int) -> Pool:
    return pool(_before(seed))


@cache
def _first(seed: int) -> First:
    items, pupil = _before(seed), Pupil(seed)
    pupil.learn(items[: len(items) // 2])
    half = pupil.state()
    pupil.learn(items[len(items) // 2 :])
    return First(half, pupil.state())
