"""From the scores of some samples to those of all: what a costly method measured is fitted on vectors.

The papers of costly scorers do the same with a small language model: MATES (arXiv:2406.06046) with BERT, DELT
(arXiv:2506.21545) with a mean-pooled encoder. Here it is ridge regression, whose strength leave-one-out error chooses.
A fit shrinks towards the mean, so the samples that were measured hold more than their share of both ends.
"""

import logging

import numpy as np
from numpy.typing import NDArray

from ...memory.errors import PartError
from .pool import Context, Indices, Pool, Scores

STRENGTHS = 10.0 ** np.arange(-4, 4)
"""Penalties that are tried, in multiples of the features' mean variance."""
HELD = 5
"""One measured sample in so many is held out to say how good the fit is."""
EXAMINED = 5
"""Held-out samples from which on a rank correlation says anything."""
CHUNK = 1 << 14
"""Rows predicted at once."""

logger = logging.getLogger(__name__)


def draw(pool: Pool, most: int, *, seed: int) -> Indices:
    """Give positions of at most `most` samples in the order of their ids, the same ones whatever the pool's order."""
    by_id = np.argsort(np.array(pool.ids, dtype=np.str_), kind="stable")
    if len(by_id) <= most:
        return by_id
    return by_id[np.sort(np.random.default_rng(seed).choice(len(by_id), most, replace=False))]


def spread(pool: Pool, measured: Indices, scores_S: Scores, *, method: str, context: Context) -> Scores:
    """Give every sample a score: what was measured, or what its vector lets expect.

    Args:
        pool: all samples.
        measured: positions of those that were measured, in an order that is not the pool's.
        scores_S: their scores.
        method: its kind and name, for messages.
        context: for the seed.

    Raises:
        PartError: some were not measured, and nothing makes vectors.
    """
    full_S = np.empty(len(pool))
    full_S[measured] = scores_S
    if len(measured) == len(pool):
        return full_S
    if context.lacks(pool, ["vectors"]):
        raise PartError(
            f"{method} measures {len(measured)} of {len(pool)} samples and has no vectors to fit the rest on; "
            "raise its setting 'most', or give an embedder"
        )
    rest = np.setdiff1d(np.arange(len(pool)), measured)
    vectors_SD = np.asarray(pool.vectors_SD, dtype=np.float64)[measured]
    correlation = examine(vectors_SD, scores_S, seed=context.seed)
    said = "too few to say how well" if correlation is None else f"held-out rank correlation {correlation:.2f}"
    logger.info("%s measured %d of %d samples and fitted the rest: %s", method, len(measured), len(pool), said)
    fit = Ridge(vectors_SD, scores_S)
    full_S[rest] = np.concatenate(
        [fit.predict(pool.vectors_SD[rest[at : at + CHUNK]]) for at in range(0, len(rest), CHUNK)]
    )
    return full_S


def examine(vectors_SD: NDArray[np.float64], scores_S: Scores, *, seed: int) -> float | None:
    """Rank correlation between what a fit on most samples expects of the others and what was measured of them.

    Returns:
        Spearman's, in [-1, 1]; 0 where either side is constant; None with fewer than five samples to examine.
    """
    order = np.random.default_rng(seed).permutation(len(scores_S))
    held, rest = order[: len(order) // HELD], order[len(order) // HELD :]
    if len(held) < EXAMINED:
        return None
    return rank_correlation(Ridge(vectors_SD[rest], scores_S[rest]).predict(vectors_SD[held]), scores_S[held])


class Ridge:
    """Linear regression with a penalty on the squares of its slopes.

    Source: Hoerl and Kennard 1970; the leave-one-out error is the closed form of Allen's PRESS.
    """

    def __init__(self, vectors_SD: NDArray[np.floating], values_S: Scores) -> None:
        x_SD = np.asarray(vectors_SD, dtype=np.float64)
        self.centre_D = x_SD.mean(0)
        self.mean = float(values_S.mean())
        x_SD = x_SD - self.centre_D
        spectrum_D, axes_DD = np.linalg.eigh(x_SD.T @ x_SD)
        spectrum_D = np.maximum(spectrum_D, 0)
        turned_SD = x_SD @ axes_DD
        along_D = turned_SD.T @ (values_S - self.mean)
        unit = max(float(spectrum_D.mean()), np.finfo(np.float64).tiny)
        errors = [
            _left_out(turned_SD, along_D / (spectrum_D + s * unit), values_S - self.mean, spectrum_D + s * unit)
            for s in STRENGTHS
        ]
        self.strength = float(STRENGTHS[int(np.argmin(errors))])
        self.slopes_D = axes_DD @ (along_D / (spectrum_D + self.strength * unit))

    def predict(self, vectors_SD: NDArray[np.floating]) -> Scores:
        """Give the value expected of each vector."""
        return self.mean + (np.asarray(vectors_SD, dtype=np.float64) - self.centre_D) @ self.slopes_D


def _left_out(
    turned_SD: NDArray[np.float64], slopes_D: Scores, values_S: Scores, penalised_D: NDArray[np.float64]
) -> float:
    """Mean squared error of every value predicted from all the others."""
    # the mean is fitted as well and takes its share of every sample
    leverage_S = (turned_SD**2 / penalised_D).sum(1) + 1 / len(values_S)
    residual_S = values_S - turned_SD @ slopes_D
    return float(((residual_S / np.maximum(1 - leverage_S, 1e-9)) ** 2).mean())


def rank_correlation(a_S: Scores, b_S: Scores) -> float:
    """Spearman's rank correlation; 0 where either side is constant."""
    ranks = [_ranks(x_S) - (len(x_S) - 1) / 2 for x_S in (a_S, b_S)]
    lengths = float(np.linalg.norm(ranks[0]) * np.linalg.norm(ranks[1]))
    return float(ranks[0] @ ranks[1]) / lengths if lengths else 0.0


def _ranks(x_S: Scores) -> Scores:
    """Ranks from 0, equal values sharing their mean."""
    _, which, counts = np.unique(x_S, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[which]
