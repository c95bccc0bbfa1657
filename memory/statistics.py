"""Figures that decide: intervals, exact tests, stopping rules and the power behind them.

Everything here is a pure function of counts; shares and p-values are in [0, 1], never in percent. "Gained" are the
items that only the candidate got right, "lost" those that only the incumbent did.
"""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """Two ends of a confidence interval."""

    low: float
    high: float


def normal_quantile(share: float) -> float:
    """Give the point below which this share of a standard normal lies; `share` in (0, 1)."""
    return NormalDist().inv_cdf(share)


def wilson(passed: int, tried: int, *, confidence: float = 0.95) -> Interval:
    """Score interval of a pass rate; (0, 1) when nothing was tried.

    Raises:
        ValueError: more passed than tried.

    Source: Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953.
    """
    if not 0 <= passed <= tried:
        raise ValueError(f"{passed} of {tried} cannot have passed")
    if tried == 0:
        return Interval(0.0, 1.0)
    z = normal_quantile((1 + confidence) / 2)
    rate = passed / tried
    centre = rate + z * z / (2 * tried)
    reach = z * math.sqrt(rate * (1 - rate) / tried + (z / (2 * tried)) ** 2)
    scale = 1 + z * z / tried
    # rounding must not push the interval off the share it belongs to
    return Interval(max(0.0, min(rate, (centre - reach) / scale)), min(1.0, max(rate, (centre + reach) / scale)))


def rate_upper(hits: int, tried: int, *, error: float = 0.05) -> float:
    """Exact one-sided upper bound of a rate; 1 when nothing was tried.

    Args:
        hits: how many of those tried.
        tried: all of them.
        error: probability that the true rate lies above the bound, at most.

    Source: Clopper and Pearson 1934, https://doi.org/10.1093/biomet/26.4.404.
    """
    if not 0 <= hits <= tried:
        raise ValueError(f"{hits} of {tried} is not a rate")
    if hits == tried:
        return 1.0
    k, log = np.arange(hits + 1), _log_factorials(tried)
    ways = log[tried] - log[k] - log[tried - k]

    def ruled_out(rate: float) -> bool:
        return float(np.exp(ways + k * math.log(rate) + (tried - k) * math.log1p(-rate)).sum()) <= error

    return _crossing(ruled_out, low=hits / tried, high=1.0)


def mcnemar(gained: int, lost: int) -> float:
    """Exact one-sided p-value that the candidate is better: P(X >= gained), X ~ Binomial(gained + lost, 1/2).

    Source: McNemar 1947, https://doi.org/10.1007/BF02295996, with the exact binomial in place of chi-squared.
    """
    if min(gained, lost) < 0:
        raise ValueError(f"{gained} gained and {lost} lost are not counts")
    return min(1.0, float(_coin(gained + lost, _log_factorials(gained + lost))[gained:].sum()))


def fisher(hit_a: int, n_a: int, hit_b: int, n_b: int) -> float:
    """Exact one-sided p-value that group a has the higher rate; 1 when a group is empty.

    Source: Fisher 1935, The Logic of Inductive Inference, https://doi.org/10.2307/2342435.
    """
    if not (0 <= hit_a <= n_a and 0 <= hit_b <= n_b):
        raise ValueError(f"{hit_a} of {n_a} against {hit_b} of {n_b} are not counts")
    hits, total = hit_a + hit_b, n_a + n_b
    log = _log_factorials(total)
    k = np.arange(hit_a, min(hits, n_a) + 1)
    ways = log[n_a] - log[k] - log[n_a - k] + log[n_b] - log[hits - k] - log[n_b - hits + k]
    return min(1.0, float(np.exp(ways - (log[total] - log[hits] - log[total - hits])).sum()))


def non_inferiority_upper(gained: int, lost: int, items: int, *, alpha: float) -> float:
    """Upper confidence bound on the share of items lost, net of those gained; positive means the candidate is worse.

    The score bound keeps its coverage when hardly any item changed: with none it is z²/(items + z²), where Wald's
    would be 0. Without items it is 1, since anything may have been lost.

    Args:
        gained: items only the candidate got right.
        lost: items only the incumbent got right.
        items: all items both were asked.
        alpha: probability that the true loss lies above the bound.

    Source: Tango 1998, https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B.
    """
    if min(gained, lost) < 0 or gained + lost > items:
        raise ValueError(f"{gained} gained and {lost} lost do not fit in {items} items")
    if items == 0:
        return 1.0
    z = normal_quantile(1 - alpha)
    observed = (lost - gained) / items
    return _crossing(lambda loss: loss > observed and _score(gained, lost, items, loss) <= -z, low=observed, high=1.0)


def paired_interval(gained: int, lost: int, items: int, *, confidence: float = 0.95) -> Interval:
    """Score interval of the candidate's gain, a share in [-1, 1]; source as for `non_inferiority_upper`."""
    alpha = (1 - confidence) / 2
    return Interval(
        -non_inferiority_upper(gained, lost, items, alpha=alpha),
        non_inferiority_upper(lost, gained, items, alpha=alpha),
    )


def sprt(
    passed: int, tried: int, *, failing: float, mastered: float, error: float = 0.05
) -> Literal["mastered", "failing", "undecided"]:
    """Say as soon as the answers allow whether a pass rate is `mastered` or `failing`; `error` bounds both mistakes.

    Source: Wald 1945, Sequential Tests of Statistical Hypotheses, https://doi.org/10.1214/aoms/1177731118.
    """
    if not 0 < failing < mastered < 1:
        raise ValueError(f"failing {failing} must be below mastered {mastered}, both inside (0, 1)")
    ratio = passed * math.log(mastered / failing) + (tried - passed) * math.log((1 - mastered) / (1 - failing))
    limit = math.log((1 - error) / error)
    return "mastered" if ratio >= limit else "failing" if ratio <= -limit else "undecided"


def spent_alpha(alpha: float, round: int, rounds: int) -> float:
    """Error that this round's test may spend of the session's `alpha`: an even share, by Bonferroni.

    A promotion changes the incumbent, so later tests are of new hypotheses on the same items and depend on the
    earlier ones in ways nobody knows; Bonferroni holds under any dependence, sharper schemes do not.

    Raises:
        ValueError: `round` not in 1..rounds, which would overspend.
    """
    if not 1 <= round <= rounds:
        raise ValueError(f"round {round} is outside 1..{rounds}; alpha was split over {rounds} tests")
    return alpha / rounds


def detectable_gain(items: int, *, alpha: float, power: float = 0.9, disagreement: float = 0.2) -> float:
    """Smallest true gain, a share, that exact McNemar finds with at least this power; 1 when none is enough.

    The default power is 0.9, not the usual 0.8, so that 0.8 is left after the guards have had their say.

    Args:
        items: paired items of the exam.
        alpha: of this one test, so the spent one.
        power: chance of promotion at the gain returned.
        disagreement: share of items on which the two models differ; where a gain exceeds it, the gain is all there is.
    """
    log = _log_factorials(items)
    needed = np.array([_needed(n, log, alpha) for n in range(items + 1)])

    def found(gain: float) -> bool:
        spread = max(disagreement, gain)
        gained, lost, chance = _outcomes(items, (spread + gain) / 2, (spread - gain) / 2, log)
        return float(chance[gained >= needed[gained + lost]].sum()) >= power

    return _crossing(found, low=0.0, high=1.0)


def block_chance(items: int, loss: float, *, margin: float, alpha: float, disagreement: float = 0.02) -> float:
    """Probability that a guard stops a candidate whose true loss is `loss`, a share.

    `disagreement` is that of an unchanged model, half each way; the loss comes on top of it.
    """
    log = _log_factorials(items)
    gained, lost, chance = _outcomes(items, disagreement / 2, disagreement / 2 + loss, log)
    z = normal_quantile(1 - alpha)
    pairs = zip(gained.tolist(), lost.tolist(), strict=True)
    stopped = np.array([_score(*pair, items, margin) > -z for pair in pairs])
    return float(chance[stopped].sum())


def detectable_loss(
    items: int, *, margin: float, alpha: float, power: float = 0.8, disagreement: float = 0.02
) -> float:
    """Smallest true guard loss, a share, that is blocked with at least this power; see `block_chance`.

    It lies below the margin, as it must: a guard passes only when a loss of the margin has been ruled out.
    """

    def seen(loss: float) -> bool:
        return block_chance(items, loss, margin=margin, alpha=alpha, disagreement=disagreement) >= power

    return _crossing(seen, low=0.0, high=1.0 - disagreement)


def chance_corrected(rate: float, chance: float) -> float:
    """Share of the way from chance to perfect, in [0, 1]; 0 where chance alone is perfect.

    Source: Cohen 1960, https://doi.org/10.1177/001316446002000104 (kappa).
    """
    return 0.0 if chance >= 1 else min(1.0, max(0.0, (rate - chance) / (1 - chance)))


def _crossing(holds: Callable[[float], bool], *, low: float, high: float) -> float:
    """Where a monotone condition begins to hold, from above, or `high`."""
    for _ in range(40):  # halvings: 1 / 2**40 is far below any share of whole items
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _score(gained: int, lost: int, items: int, loss: float) -> float:
    """Tango's statistic for a true net loss of `loss`: standard normal where that is the truth."""
    b = (2 * items - lost + gained) * loss - lost - gained
    root = math.sqrt(max(0.0, b * b + 8 * items * gained * loss * (1 - loss)))
    variance = items * ((root - b) / (2 * items) + loss * (1 - loss))
    return (lost - gained - items * loss) / math.sqrt(variance) if variance > 0 else -math.inf


def _log_factorials(most: int) -> Floats:
    """Logarithms of 0!, 1!, ... most!."""
    return np.array([math.lgamma(k + 1) for k in range(most + 1)])


def _needed(changes: int, log: Floats, alpha: float) -> int:
    """Gains among so many changed items from which McNemar is significant."""
    tail = _coin(changes, log[: changes + 1])[::-1].cumsum()[::-1]
    return int(np.count_nonzero(tail > alpha))


def _coin(tosses: int, log: Floats) -> Floats:
    """Probability of 0, 1, ... heads of a fair coin; `log` from `_log_factorials(tosses)`."""
    return np.exp(log[tosses] - log - log[::-1] - tosses * math.log(2))


def _outcomes(
    items: int, gained: float, lost: float, log: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Counts of gained and lost that can happen with these shares, and the probability of each pair."""
    grid = np.meshgrid(_likely(items, gained), _likely(items, lost), indexing="ij")
    g, n = (side.ravel() for side in grid)
    keep = g + n <= items
    g, n = g[keep], n[keep]
    rest = items - g - n
    ways = log[items] - log[g] - log[n] - log[rest]
    return g, n, np.exp(ways + _weight(g, gained) + _weight(n, lost) + _weight(rest, 1 - gained - lost))


def _likely(items: int, share: float) -> NDArray[np.int64]:
    """Counts within 7 standard deviations (and 20 more for skewed small ones); outside lies less than 1e-11."""
    reach = 7 * math.sqrt(items * share * (1 - share)) + 20 * (0 < share < 1)
    return np.arange(max(0, math.floor(items * share - reach)), min(items, math.ceil(items * share + reach)) + 1)


def _weight(count: NDArray[np.int64], share: float) -> Floats:
    """Give `count * log(share)`, with 0 log 0 = 0."""
    if share > 0:
        return np.asarray(count * math.log(share), dtype=np.float64)
    return np.asarray(np.where(count == 0, 0.0, -np.inf), dtype=np.float64)
