"""By score, several times through: every pass runs over the whole range of scores with samples of its own."""

import numpy as np
from pydantic import Field

from ..orderer import Orderer
from ..pool import Indices, Pool, Scores


class Folding(Orderer):
    """Sort by score and deal the samples out into layers, which follow each other, each ascending.

    A sorted set ends with the highest scores alone, and what it began with is forgotten by then. Folded, the whole
    range comes by again with every layer, and no sample twice. On small students it is better than sorting and worse
    than mixing (`evolvent bench folding`), by far where the scores tell skills apart and so keep each of them together.

    Source: DELT, arXiv:2506.21545, which takes three layers.
    """

    scored = True

    layers: int = Field(default=3, ge=1)
    """Times that the range of scores is run through; 1 is a sorted set."""

    def order(self, pool: Pool, scores_S: Scores, *, seed: int) -> Indices:
        """Give all samples, layer by layer; equal scores go by id."""
        del seed
        ascending_S = np.lexsort((np.array(pool.ids, dtype=np.str_), scores_S))
        return np.concatenate([ascending_S[start :: self.layers] for start in range(self.layers)]).astype(np.int64)
