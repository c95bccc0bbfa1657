"""Simulated exams with graded scores, for the gate: items that lie anywhere between wrong and right.

An item's score moves by whole twentieths; the candidates of a session differ from its incumbent on some items, by up
to `REACH`, and are better or worse on the mean by what the truth says.
"""

import numpy as np
from numpy.typing import NDArray

from ..memory.statistics import normal_quantile
from ..training.pairing import Paired, pair

Floats = NDArray[np.float64]

GRADE = 0.05
"""Step of the scores, as a checklist of twenty points gives."""
REACH = 0.6
"""Largest change of one item's score."""


def graded_exams(
    rng: np.random.Generator, *, gain: float, changed: float, accuracy: float, sessions: int, rounds: int, items: int
) -> list[list[Paired]]:
    """Exams of all sessions, by session and round; the incumbent of a session and its scores are shared.

    Args:
        rng: chance.
        gain: true change of the mean score; negative is worse.
        changed: share of items whose scores differ without any gain.
        accuracy: mean score of the incumbent.
        sessions: how many.
        rounds: candidates per session.
        items: items of the exam.
    """
    return [
        _session(rng, gain=gain, changed=changed, accuracy=accuracy, rounds=rounds, items=items)
        for _ in range(sessions)
    ]


def detectable(rng: np.random.Generator, *, changed: float, accuracy: float, items: int, alpha: float) -> float:
    """Gain that a test on normal means finds with a power of 0.9, from how far the differences spread in a large exam.

    0.9 and not 0.8 for the reason given in `memory.statistics.detectable_gain`.
    """
    drawn = graded_exams(rng, gain=0.02, changed=changed, accuracy=accuracy, sessions=1, rounds=1, items=100_000)
    spread = float(np.std(drawn[0][0].differences))
    return (normal_quantile(1 - alpha) + normal_quantile(0.9)) * spread / float(np.sqrt(items))


def _session(
    rng: np.random.Generator, *, gain: float, changed: float, accuracy: float, rounds: int, items: int
) -> list[Paired]:
    # a beta of total 2 is spread wide, with many items near both ends
    before_I = _grades(rng.beta(2 * accuracy, 2 * (1 - accuracy), size=items))
    return [pair(before_I.tolist(), _after(rng, before_I, gain=gain, changed=changed).tolist()) for _ in range(rounds)]


def _after(rng: np.random.Generator, before_I: Floats, *, gain: float, changed: float) -> Floats:
    """Move some items both ways as far as their own room allows, then some more one way for the gain."""
    room_I = np.minimum(np.minimum(before_I, 1 - before_I), REACH)
    churn_I = room_I * rng.choice([-1.0, 1.0], size=room_I.size) * (rng.random(room_I.size) < changed)
    moved_I = before_I + churn_I
    left_I = np.minimum(1 - moved_I if gain > 0 else moved_I, REACH)
    # every item moves with the same chance, so that the mean moves by `gain` in expectation
    chance = min(1.0, abs(gain) / max(float(left_I.mean()), GRADE))
    return _grades(moved_I + np.sign(gain) * left_I * (rng.random(left_I.size) < chance))


def _grades(scores_I: Floats) -> Floats:
    return np.clip(np.round(scores_I / GRADE) * GRADE, 0.0, 1.0)
