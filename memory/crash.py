"""Named points at which a test may really kill the process.

`EVOLVENT_CRASH_AT=name` or `name:3` (the third time the point is passed) sends SIGKILL to this process. Every point
is listed here, so a test can visit them all; an unknown name is an error, never a silent no-op.
"""

import os
import signal
from collections import Counter

VARIABLE = "EVOLVENT_CRASH_AT"
POINTS = (
    "effect.before_intent",
    "effect.after_intent",
    "effect.before_publish",
    "effect.after_publish",
    "effect.before_commit",
    "effect.after_commit",
    "train.before_seal",
    "index.before_upsert",
    "index.after_upsert",
    "graph.after_node",
    "report.before_write",
)

_passed: Counter[str] = Counter()


def point(name: str) -> None:
    """Die here if a test asked for it."""
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return
    target, _, count = wanted.partition(":")
    if unknown := {name, target} - set(POINTS):
        raise ValueError(f"crash point {min(unknown)!r} is not listed in memory/crash.py")
    if target != name:
        return
    _passed[name] += 1
    if _passed[name] == int(count or 1):
        os.kill(os.getpid(), signal.SIGKILL)
