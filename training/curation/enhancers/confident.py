"""Wrong labels among samples that look alike: an answer that its neighbours contradict with confidence."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..enhancer import AS_IS, Change, Enhancer
from ..peers import nearest, number, plain, question_vectors
from ..pool import Context, Indices, Pool


class Confident(Enhancer):
    """Refuse or correct answers by confident learning, for tasks with a closed set of answers such as sorting texts.

    What the nearest questions are answered with, the sample itself left out, estimates how likely each answer is. An
    answer is confidently likely for a sample where its share is at least the mean that it has among the samples that
    were given it, so a rare or confused answer is held to a lower bar. A sample whose likeliest such answer is not its
    own is taken for mislabelled. Answers with too few samples are left alone, and so is everything that is open.

    Source: Northcutt, Jiang and Chuang 2021, arXiv:1911.00068; the probabilities are those of neighbours, since there
    is no classifier here.
    """

    needs = frozenset({"vectors"})

    neighbours: int = Field(default=10, ge=2)
    """Nearest questions that are looked at."""
    fewest: int = Field(default=5, ge=2)
    """Samples from which an answer counts as one of the set."""
    action: Literal["refuse", "correct"] = Field(default="refuse")
    """What becomes of a sample with a wrong label."""

    async def enhance(self, pool: Pool, context: Context) -> Sequence[Change]:
        """Refuse or correct."""
        del context
        by_id = sorted(range(len(pool)), key=lambda i: pool.ids[i])
        labels, given_S = number([plain(pool.answers[i]) for i in by_id])
        often = np.bincount(given_S, minlength=len(labels))[given_S] >= self.fewest
        closed = [i for i, kept in zip(by_id, often, strict=True) if kept]
        given_S = given_S[often]
        changes = [AS_IS] * len(pool)
        if len(set(given_S.tolist())) < 2:
            return changes
        vectors_SD = question_vectors(pool, [pool.prompts[i] for i in closed])
        better_S = confidently(given_S, nearest(vectors_SD, min(self.neighbours, len(closed) - 1)))
        wording = {
            given: pool.answers[i] for i, given in zip(reversed(closed), reversed(given_S.tolist()), strict=True)
        }
        for place, given, better in zip(closed, given_S.tolist(), better_S.tolist(), strict=True):
            if better != given:
                changes[place] = (
                    Change(answer=wording[better])
                    if self.action == "correct"
                    else Change(refused=f"questions like it are answered {labels[better]!r}")
                )
        return changes


def confidently(given_S: Indices, near_SK: Indices) -> Indices:
    """Give the answer that is confidently likely for each sample, or its own where none is.

    Args:
        given_S: number of the answer that each sample has.
        near_SK: places of its neighbours.
    """
    said_SK = given_S[near_SK]
    shares_SK = (said_SK[:, :, None] == said_SK[:, None, :]).mean(axis=2)
    own_S = (said_SK == given_S[:, None]).mean(axis=1)
    counts = np.bincount(given_S)
    bars: NDArray[np.float64] = np.bincount(given_S, weights=own_S) / np.maximum(counts, 1)
    likely_SK = np.where(shares_SK >= bars[said_SK], shares_SK, 0)
    best_S = likely_SK.max(axis=1)
    own_likely_S = np.where(own_S >= bars[given_S], own_S, 0)
    # of equal shares the sample's own counts, and else the lowest number
    first_S = np.where(likely_SK == best_S[:, None], said_SK, len(counts)).min(axis=1)
    return np.where(best_S > own_likely_S, first_S, given_S)
