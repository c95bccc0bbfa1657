"""Samples that wait for a person, those first from whose review the most can be expected to be learned.

The rank of a sample is information density (Settles and Craven 2008, https://aclanthology.org/D08-1112): how uncertain
it is whether the sample is good, times how much of the queue is like it. Uncertainty is the entropy in bits of the
chance that it is good, after the votes on it (query by committee: Dagan and Engelson 1995,
https://doi.org/10.1016/B978-1-55860-377-6.50027-X), with two votes more as the round went for its weakness. What lies
near a sample placed higher has been asked already, so the rest is weighed by its distance to the nearest of those
(maximal marginal relevance: Carbonell and Goldstein 1998, https://doi.org/10.1145/290941.291025).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log2

import numpy as np
from numpy.typing import NDArray

from .debates import Debate
from .embedder import Embedder, Vectors
from .ledger import Ledger
from .parts import PartSpec, load
from .records import Critique, Fate, Sample

PRIOR = 2.0
"""Votes that the rest of the round counts for."""
FRONT = 200
"""Samples placed one by one, against those before them; nobody gets further in one sitting."""
POOL = 1_000
"""Samples that such a place is given to; the others follow by what they add to those in front."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One sample of the queue, and why it stands where it does."""

    sample: Sample
    critiques: tuple[Critique, ...]
    chance: float
    """That the sample is good, in [0, 1]."""
    density: float
    """Mean similarity to the queue, in [0, 1]."""
    information: float
    """Bits expected of its review, weighed by density and by how new it is to those before it."""


def pending(ledger: Ledger) -> int | None:
    """The round whose samples were curated last, unless a person's decisions on it are in the ledger."""
    found = ledger.rows("select max(round) from effects where name = 'curate' and status = 'committed'")[0][0]
    return int(found) if found is not None and ledger.result("review", int(found)) is None else None


def queue(ledger: Ledger, round: int) -> list[Entry]:
    """Samples of a round that curation kept, ranked; the same ledger gives the same order."""
    kept = {fate.sample for fate in ledger.read(Fate, round=round) if fate.kept}
    written = ledger.read(Sample, round=round, subject="targeted")
    samples = sorted((s for s in written if s.id in kept), key=lambda s: s.id)
    if not samples:
        return []
    critiques = ledger.read(Critique, round=round)
    chances = _chances(samples, written, critiques, ledger.read(Debate, round=round))
    said: dict[str, list[Critique]] = {}
    for critique in critiques:
        said.setdefault(critique.sample, []).append(critique)
    vectors_SD = _vectors(samples).astype(np.float64)
    density_S = np.clip(vectors_SD @ vectors_SD.mean(axis=0), 0.0, 1.0)
    worth_S = np.array([_entropy(chance) for chance in chances]) * density_S
    return [
        Entry(
            sample=samples[i],
            critiques=tuple(said.get(samples[i].id, ())),
            chance=chances[i],
            density=float(density_S[i]),
            information=worth,
        )
        for i, worth in _placed(worth_S, vectors_SD)
    ]


def _vectors(samples: Sequence[Sample]) -> Vectors:
    """What samples say, by spelling, so that the viewer needs no model."""
    package = f"{__package__}.embedders"
    embedder = load(PartSpec(name="hashing"), base=Embedder, package=package, where="review")
    return embedder.embed([f"{s.task.own}\n{s.completion}" for s in samples])


def _chances(
    samples: Sequence[Sample], written: Sequence[Sample], critiques: Sequence[Critique], debates: Sequence[Debate]
) -> list[float]:
    """Chance of each sample to be good: votes on it, and how its weakness fared in this round."""
    group = {s.id: (s.task.skill, s.weakness) for s in written}
    tried, passed = Counter[tuple[str, str | None]](), Counter[tuple[str, str | None]]()
    votes: dict[str, list[bool]] = {}
    for critique in critiques:
        if critique.sample in group:
            tried[group[critique.sample]] += 1
            passed[group[critique.sample]] += critique.accepted
        votes.setdefault(critique.sample, []).append(critique.accepted)
    for debate in debates:
        last = {turn.judge: turn.verdict for turn in debate.turns if turn.verdict}
        votes.setdefault(debate.sample, []).extend(verdict != "bad" for verdict in last.values())
    found: list[float] = []
    for sample in samples:
        own, mine = votes.get(sample.id, []), group[sample.id]
        rate = (passed[mine] + 1) / (tried[mine] + 2)
        found.append((sum(own) + PRIOR * rate) / (len(own) + PRIOR))
    return found


def _entropy(chance: float) -> float:
    return -sum(p * log2(p) for p in (chance, 1 - chance) if p > 0)


def _placed(worth_S: NDArray[np.float64], vectors_SD: NDArray[np.float64]) -> list[tuple[int, float]]:
    """Indices with what each is worth beside those before it; ties go to the one that comes first."""
    pool_P = np.argsort(-worth_S, kind="stable")[:POOL]
    near_PD, worth_P, new_P = vectors_SD[pool_P], worth_S[pool_P], np.ones(len(pool_P))
    front: list[int] = []
    while len(front) < min(FRONT, len(pool_P)):
        beside_P = np.round(worth_P * new_P, 9)
        beside_P[front] = -1.0
        front.append(int(np.argmax(beside_P)))
        new_P = np.minimum(new_P, _distances(near_PD, near_PD[front[-1:]]))
    placed = [int(pool_P[i]) for i in front]
    new_S = np.ones(len(worth_S))
    for before, index in enumerate(placed):
        new_S[index] = _distances(vectors_SD[[index]], vectors_SD[placed[:before]])[0] if before else 1.0
    rest = np.setdiff1d(np.arange(len(worth_S)), placed)
    new_S[rest] = _distances(vectors_SD[rest], vectors_SD[placed])
    beside_S = np.round(worth_S * new_S, 9)
    ranked = sorted(rest.tolist(), key=lambda i: (-beside_S[i], i))
    return [(i, float(beside_S[i])) for i in [*placed, *ranked]]


def _distances(vectors_SD: NDArray[np.float64], others_OD: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of each to the nearest of the others, in [0, 1]; there is at least one."""
    return np.clip(1.0 - (vectors_SD @ others_OD.T).max(axis=1), 0.0, 1.0)
