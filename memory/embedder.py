"""How text becomes a vector: the base of every embedder.

Rows have length 1, so a dot product is the cosine; no text gives a zero row, which has no direction to compare.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from .parts import Part

Vectors = NDArray[np.float32]
"""One row of length 1 per text, `vectors_SD`."""


class Embedder(Part):
    """Turns texts into vectors; the same text always gives the same vector, whatever stands next to it."""

    kind: ClassVar[str] = "embedder"

    @property
    @abstractmethod
    def dimensions(self) -> int:
        """Length of a vector."""

    @abstractmethod
    def embed(self, texts: Sequence[str]) -> Vectors:
        """Give one vector per text.

        Returns:
            Float32 of shape `(len(texts), dimensions)`, rows normalised; an empty text gets a fixed unit vector.
        """


def normalise(rows_SD: NDArray[np.float64]) -> Vectors:
    """Scale rows to length 1; a row of zeros becomes the first axis."""
    lengths_S = np.sqrt(np.square(rows_SD).sum(axis=1))
    empty_S = lengths_S == 0
    rows_SD[empty_S, 0] = 1
    lengths_S[empty_S] = 1
    return (rows_SD / lengths_S[:, None]).astype(np.float32)
