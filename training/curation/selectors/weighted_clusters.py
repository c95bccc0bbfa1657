"""The better a cluster the likelier."""

import numpy as np
from pydantic import Field

from ..grouping import grouped
from ..pool import Indices, Need, Pool, Scores
from ..sampling import standard
from ..selector import Selector


class WeightedClusters(Selector):
    """Draw a cluster with chance ∝ exp(factor · z), then one of its members (QWCS of SHED).

    z is the cluster's mean score in standard deviations of those means. Members are drawn
    without replacement; an emptied cluster is no longer drawn.

    Source: He et al. 2024, *SHED: Shapley-based automated dataset refinement for instruction fine-tuning*,
    arXiv:2405.00705 (quality-weighted cluster sampling).
    """

    needs = frozenset[Need]({"vectors"})
    clusters: int = Field(default=0, ge=0)
    """Number of clusters; 0 stands for the square root of the number of samples."""
    factor: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    """How much the score counts; with 0 every cluster is as likely."""

    def select(self, pool: Pool, scores_S: Scores, budget: int, *, seed: int) -> Indices:
        """Give `budget` samples in the order they were drawn."""
        if not len(pool):
            return np.zeros(0, dtype=np.int64)
        rng = np.random.default_rng(seed)
        groups = grouped(pool, scores_S, self.clusters, seed=seed)
        logits_C = self.factor * standard(groups.means_C)
        # members of a cluster stand together, in an order that is drawn: the next one is the next to be taken
        mixed = rng.permutation(len(pool))
        members = mixed[np.argsort(groups.of_S[mixed], kind="stable")]
        left_C = np.bincount(groups.of_S)
        next_C = np.cumsum(left_C) - left_C
        taken: list[Indices] = [np.zeros(0, dtype=np.int64)]
        wanted = min(budget, len(pool))
        while wanted > 0:
            weights_C = np.exp(np.where(left_C > 0, logits_C - logits_C[left_C > 0].max(), -np.inf))
            drawn = rng.choice(len(weights_C), size=wanted, p=weights_C / weights_C.sum())
            # a draw of a cluster that is empty by then is drawn again, as if it had never had a chance
            before = _before(drawn)
            got = before < left_C[drawn]
            taken.append(members[next_C[drawn[got]] + before[got]])
            used_C = np.bincount(drawn[got], minlength=len(left_C))
            next_C, left_C, wanted = next_C + used_C, left_C - used_C, wanted - int(used_C.sum())
        return pool.by_id[np.concatenate(taken)]


def _before(drawn: Indices) -> Indices:
    """How often each was drawn before."""
    order = np.argsort(drawn, kind="stable")
    counts = np.bincount(drawn)
    before = np.empty_like(drawn)
    before[order] = np.arange(len(drawn)) - (np.cumsum(counts) - counts)[drawn[order]]
    return before
