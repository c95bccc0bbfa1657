"""The best of every kind: quotas for skills, and for lengths and forms of answers within a skill."""

from collections.abc import Mapping

import numpy as np
from pydantic import Field, field_validator

from ..pool import Indices, Pool, Scores
from ..quota import fill
from ..selector import Selector
from ..shape import doubling, form


class Balanced(Selector):
    """Choose by score within quotas, so that scores cannot shift what the set is made of.

    Most scores prefer a length, a form or a skill; without quotas a student gets more and more of it with each round.
    A skill's quota is proportional to n**skew for its n samples in the pool, times its weight. It is divided in the
    same way, by `shape`, among the samples of one length (within a factor of two) and one form. What a small group
    does not have goes to the others.

    Source: exponents between an even and a proportional mixture, Arivazhagan et al. 2019, arXiv:1907.05019.
    """

    skew: float = Field(default=0.0, ge=0, le=1)
    """0 gives every skill the same quota, 1 its share of the pool."""
    shape: float = Field(default=1.0, ge=0, le=1)
    """The same for lengths and forms within a skill: 1 keeps their shares, 0 evens them out."""
    weights: Mapping[str, float] = Field(default={})
    """Weight of a skill's quota beside the others'; 1 where none is named, 0 leaves a skill out."""

    @field_validator("weights")
    @classmethod
    def _finite(cls, weights: Mapping[str, float]) -> Mapping[str, float]:
        for skill, weight in weights.items():
            if not 0 <= weight < float("inf"):
                raise ValueError(f"the weight of {skill!r} is {weight!r}; give a finite number that is not negative")
        return weights

    def select(self, pool: Pool, scores_S: Scores, budget: int, *, seed: int) -> Indices:
        """Fill the quotas with the best of each, and give them best first; equal scores go by id."""
        del seed
        shapes = [f"{doubling(text):02}{form(answer)}" for text, answer in zip(pool.texts, pool.answers, strict=True)]
        skills, skill_S = np.unique(np.array(pool.skills, dtype=np.str_), return_inverse=True)
        _, shape_S = np.unique(np.array(shapes, dtype=np.str_), return_inverse=True)
        weights_K = np.array([self.weights.get(str(skill), 1.0) for skill in skills])
        sizes_K = np.bincount(skill_S, minlength=len(skills))
        quotas_K = fill(sizes_K, weights_K * np.power(sizes_K, self.skew), budget)
        best_S = np.lexsort((np.array(pool.ids, dtype=np.str_), -scores_S))
        chosen_S = np.zeros(len(pool), dtype=np.bool_)
        for skill, quota in enumerate(quotas_K.tolist()):
            own = best_S[skill_S[best_S] == skill]
            sizes_G = np.bincount(shape_S[own])
            quotas_G = fill(sizes_G, np.where(sizes_G > 0, np.power(sizes_G, self.shape), 0.0), quota)
            chosen_S[own[_ranks(shape_S[own]) < quotas_G[shape_S[own]]]] = True
        return best_S[chosen_S[best_S]].astype(np.int64)


def _ranks(groups_S: Indices) -> Indices:
    """How many of its own group stand before each."""
    order_S = np.argsort(groups_S, kind="stable")
    counts = np.bincount(groups_S)
    ranks_S = np.empty(len(groups_S), dtype=np.int64)
    ranks_S[order_S] = np.arange(len(groups_S)) - (np.cumsum(counts) - counts)[groups_S[order_S]]
    return ranks_S
