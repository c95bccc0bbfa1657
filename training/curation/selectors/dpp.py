"""Good and unlike each other."""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ....memory.embedder import Vectors
from .. import greedy
from ..pool import Indices, Need, Pool, Scores
from ..sampling import standard
from ..selector import Selector


class Dpp(Selector):
    """Take greedily what raises the determinant of L most, the likeliest choice of a determinantal point process.

    L = diag(q)(V Vᵀ + εI)diag(q), with rows of V the samples' vectors and log q² = weight · z, z the score in standard
    deviations: choices are likely whose samples score high and are unlike each other. What a sample adds is
    log q² + log(1 + vᵀA⁻¹v), where A = εI + the sum of vvᵀ over those taken; A is as small as a vector is long, and
    one step updates it.

    Source: Chen, Zhang & Zhou 2018, *Fast greedy MAP inference for determinantal point process*, arXiv:1709.05135.
    """

    needs = frozenset[Need]({"vectors"})
    weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    """What a standard deviation of score counts beside being unlike the others."""
    ridge: float = Field(default=0.1, gt=0, allow_inf_nan=False)
    """ε: below it, being unlike what was taken no longer counts; it also lets more be taken than vectors are long."""

    def select(self, pool: Pool, scores_S: Scores, budget: int, *, seed: int) -> Indices:
        """Give `budget` samples, each the one that added most."""
        del seed
        if not len(pool):
            return np.zeros(0, dtype=np.int64)
        vectors_SD = pool.vectors_SD[pool.by_id]
        volume = _Volume(vectors_SD, self.weight * standard(scores_S)[pool.by_id], self.ridge)
        return pool.by_id[greedy.choose(volume, volume.values(), budget)]


class _Volume:
    """Logarithm of what each candidate would multiply the determinant by, but for log ε."""

    def __init__(self, vectors_SD: Vectors, quality_S: Scores, ridge: float) -> None:
        self.vectors_SD = vectors_SD
        self.quality_S = quality_S
        self.inverse_DD = np.eye(vectors_SD.shape[1]) / ridge
        # A⁻¹ loses bbᵀ with every vector taken; these are the b
        self.lost_TD: list[NDArray[np.float32]] = []

    def values(self) -> greedy.Values:
        """Give log q² + log(1 + vᵀA⁻¹v) of all, nothing being taken."""
        lengths_S = np.einsum("sd,sd->s", self.vectors_SD, self.vectors_SD)
        return self.quality_S + np.log1p(lengths_S * self.inverse_DD[0, 0])

    def take(self, index: int) -> None:
        vector_D = self.vectors_SD[index].astype(np.float64)
        across_D = self.inverse_DD @ vector_D
        lost_D = across_D / np.sqrt(1 + vector_D @ across_D)
        self.inverse_DD -= np.outer(lost_D, lost_D)
        self.lost_TD.append(lost_D.astype(np.float32))

    def lower(self, values_R: greedy.Values, rows: Indices | slice, since: int) -> greedy.Values:
        quality_R = self.quality_S[rows]
        lost_RT = self.vectors_SD[rows] @ np.array(self.lost_TD[since:]).T
        spread_R = np.expm1(values_R - quality_R) - np.square(lost_RT, dtype=np.float64).sum(axis=1)
        return np.where(np.isneginf(values_R), values_R, quality_R + np.log1p(np.maximum(spread_R, 0)))
