"""What is started inside: it puts up the walls, starts the two processes behind them, and sees both end.

This process runs nothing that a model wrote and holds no secret, so that its copies hold none either: the job, with the
nonce, is read by the process of the tests alone, after the other one has split off.
"""

import contextlib
import json
import os
import select
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from . import kernel
from .judge import judge, report
from .solver import serve
from .walls import Bounds, confine, enter

FAILED = 70
"""Exit code of a process whose walls do not stand."""
ASIDE = 200
"""Where pipes are put while their places are taken."""
LIKELIEST = "1000"
"""Makes the kernel end this process before all others where memory runs out."""


def main(arguments: list[str]) -> int:
    """Run one job.

    Args:
        arguments: process id of whoever started this, the pipe of the result, and the bounds.

    Returns:
        The exit code, 0 also where an answer is wrong.
    """
    parent, result, tier, *numbers = arguments
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write(LIKELIEST)
    kernel.die_with_parent(int(parent))
    bounds, pipe = Bounds(tier, *map(int, numbers)), int(result)
    try:
        user = enter(bounds)
        return _run(bounds, user, pipe)
    except OSError as error:
        refuse(pipe, error)
        return FAILED


def refuse(pipe: int, error: OSError) -> None:
    """Say that this tier does not hold, and why."""
    with contextlib.suppress(OSError):
        os.write(pipe, json.dumps({"refused": str(error)}).encode() + b"\n")


def _run(bounds: Bounds, user: int, result: int) -> int:
    asked, ask = os.pipe()
    told, tell = os.pipe()
    alive, life = os.pipe()
    above = 0 if bounds.tier == "namespaces" else os.getpid()
    tests = os.fork()
    if tests == 0:  # the first in its namespace: no signal from inside reaches it, and all others end with it
        _guarded(bounds, user, above, keep={0: 0, 2: 2, result: 3, ask: 4, told: 5, alive: 6}, refused=3, work=_tests)
    answer = os.fork()
    if answer == 0:
        kept = {1: 1, 2: 2, asked: 3, tell: 4, result: 5, alive: 6}
        _guarded(bounds, user, above, keep=kept, refused=5, work=_answer)
    children = {tests, answer}

    def stop(number: int, frame: object) -> None:
        del number, frame
        _end(children)

    signal.signal(signal.SIGTERM, stop)
    for pipe in (asked, ask, told, tell, alive, result, 1):  # `life` stays open for as long as this process lives
        os.close(pipe)
    while children:
        ended, _ = os.wait()
        children.discard(ended)
        if ended == tests:
            _end(children)
    os.close(life)
    return 0


def _end(children: set[int]) -> None:
    for child in tuple(children):
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def _guarded(
    bounds: Bounds, user: int, above: int, *, keep: dict[int, int], refused: int, work: Callable[[], None]
) -> NoReturn:
    """Be a process behind walls, and never come back."""
    try:
        for place in (signal.SIGINT, signal.SIGTERM):
            signal.signal(place, signal.SIG_DFL)
        _arrange(keep)
        confine(bounds, user, above)
        if select.select([6], [], [], 0)[0]:  # the parent ended before that could have an effect
            os._exit(FAILED)
    except OSError as error:
        refuse(refused, error)
        os._exit(FAILED)
    try:
        work()
    finally:
        os._exit(FAILED)


def _arrange(keep: dict[int, int]) -> None:
    """Have the pipes that are kept under known numbers, `/dev/null` for what is missing below 3, and nothing else."""
    high = {place: os.dup2(pipe, ASIDE + place) for pipe, place in keep.items()}
    null = os.open("/dev/null", os.O_RDWR)
    for place in {0, 1, 2} | high.keys():
        os.dup2(high.get(place, null), place)
    os.closerange(max(high) + 1, 1 << 16)


def _tests() -> None:
    job: dict[str, Any] = json.load(sys.stdin)
    nonce = job["nonce"]
    said = judge(job, 4, 5, lambda: report(3, nonce, ready=True))
    report(3, nonce, **said)
    os._exit(0)


def _answer() -> None:
    os.close(5)
    serve(3, 4)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
