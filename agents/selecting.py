"""Which of the candidates that pass the rules are trained on, and in which order.

The round's budget stays as it was split: within a skill and a weakness as many are chosen as were asked for. Targets
are what the student failed in this round's probes, with the answers it should have given; they belong to no exam.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import isfinite

import numpy as np

from ..memory.records import Attempt, Fate, Round, Sample, Share
from ..memory.retraction import tainted, withdrawn
from ..training.checkpoint import removed_from
from ..training.curation.pipeline import Curated
from ..training.curation.pool import Context, Pool, Row, Scores, require
from ..training.curation.scorer import Scorer
from .desk import BASE, Desk, seed_of


def pool_of(samples: Sequence[Sample], desk: Desk) -> Pool:
    """Samples as methods of curation see them, sorted by id."""
    rows = (Row(s.id, s.task.question, s.completion, s.task.skill) for s in sorted(samples, key=lambda s: s.id))
    return Pool(tuple(rows), desk.parts.embedder.embed)


def context_of(desk: Desk, *, round: int, student: str) -> Context:
    """What methods may look at in a round.

    Args:
        desk: where.
        round: the round.
        student: folder of the promoted student, relative to the run.
    """
    attempts = desk.ledger.read(Attempt, round=round)
    failed = [a for a in attempts if not a.verdict.passed]
    asked = {a.task.key: a.task for a in failed or attempts}
    rows = tuple(Row(key, task.question, task.answer, task.skill) for key, task in sorted(asked.items()))
    rounds = sorted(desk.ledger.read(Round, subject="targeted"), key=lambda r: r.number)
    bad = tainted(desk.ledger)
    made = [desk.path(r.path) for r in rounds if r.number < round and r.checkpoint not in bad]
    gone = withdrawn(desk.ledger)
    known = [sample for sample in desk.kept(until=round - 1) if sample.id not in gone]
    return Context(
        seed=seed_of(desk, "curate", round),
        student=desk.path(student),
        checkpoints=(desk.path(BASE), *(path for path in made if not removed_from(path))),
        targets=Pool(rows, desk.parts.embedder.embed),
        known=pool_of(known, desk),
        scorer=desk.models.get("scorer"),
        teacher=desk.models.get("teacher"),
    )


async def score(scorer: Scorer, pool: Pool, context: Context) -> Scores:
    """Score a pool, and see that the outcome is one.

    Raises:
        PartError: the scorer lacks something.
        ValueError: it gave something else than one finite number per sample.
    """
    require(f"scorer {scorer.name!r}", pool, context, scorer.needs)
    scores_S = await scorer.score(pool, context)
    if scores_S.shape != (len(pool),) or not all(map(isfinite, scores_S.tolist())):
        raise ValueError(f"scorer {scorer.name!r} gave no finite number for each of {len(pool):,} samples")
    return scores_S


async def choose(done: Curated, desk: Desk, *, round: int, student: str) -> Curated:
    """Have the selector choose among what passed the rules; without a selector all of it stays.

    Args:
        done: what the rules left.
        desk: where; what is not chosen no longer counts as kept there.
        round: the round.
        student: folder of the promoted student, relative to the run.
    """
    curators = desk.parts.curators
    if curators.selector is None or not done.kept:
        return done
    pool, context = pool_of(done.kept, desk), context_of(desk, round=round, student=student)
    scores_S = np.zeros(len(pool)) if curators.scorer is None else await score(curators.scorer, pool, context)
    chosen = _within(pool, scores_S, done.kept, desk, round=round)
    given = dict(zip(pool.ids, scores_S.tolist(), strict=True)) if curators.scorer else {}
    why = f"selection: {curators.selector.name} chose others"
    fates = tuple(_fated(fate, fate.sample in chosen, given.get(fate.sample), why) for fate in done.fates)
    desk.duplicates.discard([s for s in done.kept if s.id not in chosen])
    return Curated(tuple(s for s in done.kept if s.id in chosen), fates)


async def arrange(samples: Sequence[Sample], desk: Desk, *, round: int, student: str, seed: int) -> list[Sample]:
    """Put samples in the order that the scenario's orderer gives them; there is one.

    Args:
        samples: all that is trained on.
        desk: where.
        round: the round.
        student: folder of the promoted student, relative to the run.
        seed: fixes everything random.
    """
    curators = desk.parts.curators
    assert curators.orderer is not None
    pool, scores_S = pool_of(samples, desk), np.zeros(len(samples))
    if curators.orderer.scored and curators.scorer is not None:
        scores_S = await score(curators.scorer, pool, context_of(desk, round=round, student=student))
    by_id = {sample.id: sample for sample in samples}
    return [by_id[pool.rows[place].id] for place in curators.orderer.order(pool, scores_S, seed=seed)]


def _within(pool: Pool, scores_S: Scores, kept: Sequence[Sample], desk: Desk, *, round: int) -> set[str]:
    """Ids of what is chosen within the budget of every skill and weakness."""
    selector = desk.parts.curators.selector
    assert selector is not None
    asked = Counter[tuple[str, str | None]]()
    for share in desk.ledger.read(Share, round=round):
        asked[share.skill, share.weakness] += share.samples
    place = {id: i for i, id in enumerate(pool.ids)}
    groups: dict[tuple[str, str | None], list[int]] = defaultdict(list)
    for sample in sorted(kept, key=lambda s: s.id):
        groups[sample.task.skill, sample.weakness].append(place[sample.id])
    chosen: set[str] = set()
    for (skill, weakness), places in sorted(groups.items(), key=str):
        part = pool.take(places)
        budget = asked.get((skill, weakness), len(places))
        seed = seed_of(desk, "select", round, skill, weakness or "")
        chosen.update(part.ids[i] for i in selector.select(part, scores_S[places], budget, seed=seed))
    return chosen


def _fated(fate: Fate, chosen: bool, score: float | None, why: str) -> Fate:
    if not fate.kept:
        return fate
    lost = {} if chosen else {"kept": False, "reason": why}
    return fate.model_copy(update={"score": score, **lost})
