"""Vectors on a plane that does not move: its axes are taken from the first ones and serve all that come later.

So a point stays where it was drawn, and what a round costs does not grow with what is remembered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .embedder import Vectors

LEAST = 8
"""Vectors that differ, from which axes are taken: fewer say nothing of what will come."""
DIGITS = 4
"""Decimals of a coordinate; vectors have length 1, so this is far below what can be seen."""


@dataclass(frozen=True, slots=True)
class Plane:
    """The two directions in which the first vectors differ most, about their mean.

    Source: Pearson 1901, https://doi.org/10.1080/14786440109462720 (principal components).
    """

    mean_D: NDArray[np.float64]
    axes_2D: NDArray[np.float64]

    @classmethod
    def through(cls, vectors_SD: Vectors) -> Self | None:
        """Take the axes from these vectors; None where too few of them differ."""
        if len(np.unique(vectors_SD, axis=0)) < LEAST:
            return None
        mean_D = vectors_SD.mean(axis=0, dtype=np.float64)
        axes_2D = np.linalg.svd(vectors_SD - mean_D, full_matrices=False)[2][:2]
        # an axis has no sign of its own: its largest part counts as positive
        signs_2 = np.sign(axes_2D[np.arange(2), np.abs(axes_2D).argmax(axis=1)])
        return cls(mean_D.round(2 * DIGITS), (axes_2D * signs_2[:, None]).round(2 * DIGITS))

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """Take one up again that `dump` gave."""
        return cls(np.array(stored["mean"], np.float64), np.array(stored["axes"], np.float64))

    def dump(self) -> dict[str, Any]:
        """Give it as JSON."""
        return {"mean": self.mean_D.tolist(), "axes": self.axes_2D.tolist()}

    def place(self, vectors_SD: Vectors) -> list[tuple[float, float]]:
        """Give the place of every vector, across and up."""
        # adding 0 turns -0 into 0, which JSON would tell apart
        places_S2 = ((vectors_SD - self.mean_D) @ self.axes_2D.T).round(DIGITS) + 0.0
        return [(float(x), float(y)) for x, y in places_S2]
