"""How rare a sample is among the others."""

from typing import ClassVar

import numpy as np
from pydantic import Field

from ..pool import Context, Need, Pool, Scores
from ..scorer import Scorer
from ..sketch import SKETCHES, Form, Kind, bandwidth


class Density(Scorer):
    """Score by minus the logarithm of the density of the vectors about a sample: what there is little of is best.

    Drawing with chances ∝ exp(score), which is 1/density, evens the pool out over what it is about (inverse propensity
    sampling). Taking the top instead keeps outliers, and does badly in the paper. It sees repetition and no quality.

    The paper's sketch counts collisions of hashes; its kernel falls off slowly, and in hundreds of dimensions, where
    the distance of strangers is hardly twice that of neighbours, it tells little apart. Random waves make a Gaussian
    kernel for the same work and are the default. Either costs two passes over the vectors.

    Source: Density of Sachdeva et al. 2024, *How to Train Data-Efficient LLMs*, https://arxiv.org/abs/2402.09668.
    """

    needs: ClassVar[frozenset[Need]] = frozenset({"vectors"})
    goes_with: ClassVar[str] = "inverse_propensity"

    sketch: Kind = "waves"
    """How density is summarised: `waves`, or `hashes` as in the paper."""
    bandwidth: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Distance of vectors at which the kernel is exp(-1/2); 0 to take it from the distances in the pool."""
    projections: int = Field(default=2048, ge=8)
    """Directions that vectors are projected on; the error falls with their square root, and the time grows with it."""
    known: bool = False
    """Count what is trained on already among the others."""

    async def score(self, pool: Pool, context: Context) -> Scores:
        """Give nats, at least 0."""
        if not len(pool):
            return np.zeros(0)
        # sums of floats depend on their order
        by_id = np.argsort(np.array(pool.ids, dtype=np.str_), kind="stable")
        vectors_SD = pool.vectors_SD[by_id]
        width = self.bandwidth or bandwidth(vectors_SD, seed=context.seed)
        form = Form(vectors_SD.shape[1], width, self.projections, context.seed)
        held = SKETCHES[self.sketch](form).added(vectors_SD)
        if self.known and context.known is not None and len(context.known):
            held = held.added(context.known.vectors_SD)
        scores_S = np.empty(len(pool))
        # each is held, and near itself
        scores_S[by_id] = -np.log(np.maximum(held.density(vectors_SD), 1 / held.count))
        return scores_S
