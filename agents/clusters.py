"""Failures that look alike, told apart from the rest, so that each group can be explained by itself.

Leader clustering: a failure joins the group whose leader it is most like, if it is like enough, or leads a new one.
Likeness is the Jaccard index of features and of character pairs of question and answer; the order is fixed, and so are
the groups.
"""

from collections.abc import Sequence

from ..memory.records import Attempt

ALIKE = 0.5
"""Jaccard index from which two failures belong together."""
PAIR = 2
"""Characters that are compared in a row."""


def clusters(failures: Sequence[Attempt], *, most: int) -> list[list[Attempt]]:
    """Group failures, largest group first; what is in none of the largest goes to the one it is most like.

    Args:
        failures: wrong attempts; their order does not matter.
        most: groups wanted at most, at least 1.
    """
    groups: list[list[Attempt]] = []
    for attempt in sorted(failures, key=lambda a: a.id):
        likest = _likest(groups, attempt)
        if likest is None or _likeness(likest[0], attempt) < ALIKE:
            groups.append([attempt])
        else:
            likest.append(attempt)
    groups.sort(key=lambda g: (-len(g), g[0].id))
    kept = groups[:most]
    for left in groups[most:]:
        (_likest(kept, left[0]) or kept[0]).extend(left)
    return sorted(kept, key=lambda g: (-len(g), g[0].id))


def _likest(groups: Sequence[list[Attempt]], attempt: Attempt) -> list[Attempt] | None:
    """The group whose leader is most like an attempt, the first of equals."""
    return max(groups, key=lambda g: _likeness(g[0], attempt), default=None)


def _likeness(a: Attempt, b: Attempt) -> float:
    x, y = _traits(a), _traits(b)
    return len(x & y) / len(x | y)


def _traits(attempt: Attempt) -> set[str]:
    text = f"{attempt.task.own}\n{attempt.answer}"
    return {*attempt.task.features, *(text[i : i + PAIR] for i in range(max(1, len(text) - PAIR + 1)))}
