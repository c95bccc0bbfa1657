"""Scorers that ask the student itself and cost too much to ask about everything."""

import asyncio
from abc import abstractmethod
from typing import ClassVar

import numpy as np
from pydantic import Field

from ...memory.errors import EvolventError
from .extrapolation import draw, spread
from .learner import Reach
from .pool import Context, Need, Pool, Scores, require
from .scorer import Scorer


class Measured(Scorer):
    """Base of scorers that measure a draw of the pool and fit the rest on vectors."""

    needs: ClassVar[frozenset[Need]] = frozenset({"student", "targets"})

    most: int = Field(default=10_000, ge=1)
    """Samples that are measured; of a larger pool the rest is fitted, for which it needs vectors."""
    batch: int = Field(default=64, ge=1)
    """Samples per pass through the student, where memory allows."""
    reach: Reach = Reach()
    """Which numbers of the student are differentiated, and where."""

    async def score(self, pool: Pool, context: Context) -> Scores:
        """Measure and fit, beside the loop.

        Raises:
            EvolventError: what was measured is not finite.
        """
        if not len(pool):
            return np.zeros(0)
        require(self.title, pool, context, self.needs)
        return await asyncio.to_thread(self._score, pool, context)

    @abstractmethod
    def measure(self, pool: Pool, context: Context) -> Scores:
        """Score every sample of a draw.

        Args:
            pool: at least one sample, sorted by id.
            context: has all that `needs` names.
        """

    @property
    def title(self) -> str:
        """Kind and name, for messages."""
        return f"{self.kind} {self.name!r}"

    def _score(self, pool: Pool, context: Context) -> Scores:
        some = draw(pool, self.most, seed=context.seed)
        drawn = pool.take(some)
        scores_S = self.measure(drawn, context)
        if (wrong := np.flatnonzero(~np.isfinite(scores_S))).size:
            raise EvolventError(
                f"{self.title} measured no finite number for sample {drawn.ids[wrong[0]]!r}; lower its "
                "learning_rate, or see whether the student has a finite loss"
            )
        return spread(pool, some, scores_S, method=self.title, context=context)
