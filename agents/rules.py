"""Rules over the features of tasks: which tell failures from passes, and what they foresee."""

from collections.abc import Collection, Sequence

from ..memory.records import Attempt
from ..memory.statistics import fisher

LAPLACE = 1.0
"""Added to passes and failures when a pass rate is foreseen."""


def telling(attempts: Sequence[Attempt], most: int) -> list[str]:
    """Features that tell failures from passes best, by name."""
    every = {f for a in attempts if not a.verdict.passed for f in a.task.features}
    own = {f: under(attempts, [f]) for f in every}
    # what is true of every attempt tells nothing apart
    ranked = sorted((separation(o, attempts), f) for f, o in own.items() if len(o) < len(attempts))
    return sorted(f for _, f in ranked[:most])


def under(attempts: Sequence[Attempt], rule: Collection[str]) -> list[Attempt]:
    """Attempts at tasks that have all features of a rule."""
    return [a for a in attempts if set(rule) <= set(a.task.features)]


def separation(own: Sequence[Attempt], attempts: Sequence[Attempt]) -> float:
    """P-value of the exact test that attempts under a rule fail more often than the others."""
    failed = sum(not a.verdict.passed for a in own)
    rest = sum(not a.verdict.passed for a in attempts) - failed
    return fisher(failed, len(own), rest, len(attempts) - len(own))


def corrected(p_value: float, features: int) -> float:
    """A p-value corrected for every feature and pair of features that could have been named."""
    return min(1.0, p_value * features * (features + 1) / 2)


def foreseen(attempts: Sequence[Attempt]) -> float:
    """Pass rate to expect of tasks like these."""
    passed = sum(a.verdict.passed for a in attempts)
    return (passed + LAPLACE) / (len(attempts) + 2 * LAPLACE)
