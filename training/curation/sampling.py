"""Drawing without replacement, by weights."""

import numpy as np
from numpy.typing import NDArray

from .pool import Indices, Pool, Scores


def draw(pool: Pool, logits_S: Scores, budget: int, *, seed: int) -> Indices:
    """Draw one after another, each time with chances ∝ exp(logit) among those left; the first drawn comes first.

    The highest of logits with Gumbel noise are such a draw, in one step and without overflow.

    Source: Kool, van Hoof & Welling 2019, *Stochastic beams and where to find them*, arXiv:1903.06059 (Gumbel top-k).

    Args:
        pool: what to draw from; every sample has its own noise, wherever it stands.
        logits_S: logarithms of weights, up to a constant.
        budget: number to draw; all come back if there are no more.
        seed: fixes the noise.
    """
    noisy_S = logits_S.astype(np.float64)
    noisy_S[pool.by_id] += np.random.default_rng(seed).gumbel(size=len(pool))
    return np.argsort(-noisy_S, kind="stable")[:budget].astype(np.int64)


def standard(scores_S: Scores) -> Scores:
    """Give scores in standard deviations from their mean; zeros where all are the same."""
    if not len(scores_S):
        return scores_S
    # large scores would overflow when squared
    scaled_S = scores_S / max(1.0, float(np.abs(scores_S).max()))
    centred_S = scaled_S - scaled_S.mean()
    deviation = float(centred_S.std())
    return centred_S / deviation if deviation > 1e-12 else np.zeros_like(centred_S)


def ranks(scores_S: Scores) -> NDArray[np.float64]:
    """Give the share of samples that score no higher than each, in (0, 1]; equal scores get the same."""
    _, which, counts = np.unique(scores_S, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) / max(1, len(scores_S)))[which]
