"""What running an answer's tests in the sandbox costs, for every kind of walls that holds on this machine.

One run of a function that does next to nothing, over and over, the kinds of walls and a bare start of Python taking
turns: wall time, and CPU time of everything that a run starts. Then as many at once as there are cores, for the rate.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from ..scenarios.sandbox.sandbox import TIERS, Job, Sandbox, SandboxError
from .machine import Check, keep, median_and_range

OVERHEAD = 120.0
"""Milliseconds a run may take beside its work."""
RATE = 20.0
"""Runs a second, all cores at work."""
REFERENCE = "def double(x):\n    return 2 * x"
JOB = Job(prompt="", answer=REFERENCE, reference=REFERENCE, tests="assert double(2) == 4\nassert double(5) == 10")


def main(arguments: Sequence[str]) -> list[Check]:
    """Measure and keep."""
    parser = argparse.ArgumentParser(prog="evolvent.benchmarks.sandbox", description=__doc__)
    parser.add_argument("--runs", type=int, default=100, help="of each kind")
    count = parser.parse_args(arguments).runs
    since = time.perf_counter()
    boxes = {tier: box for tier in TIERS if (box := _holding(tier)) is not None}
    kinds: dict[str, Callable[[], object]] = {"python": _bare, **{tier: _running(box) for tier, box in boxes.items()}}
    measured: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
    for _ in range(count):
        for kind, work in kinds.items():
            measured[kind].append(_timed(work))
    walls = {kind: median_and_range([wall for wall, _ in times]) for kind, times in measured.items()}
    cpus = {kind: median_and_range([cpu for _, cpu in times]) for kind, times in measured.items()}
    rates = {tier: _rate(box, count) for tier, box in boxes.items()}
    result = {"runs": count, "milliseconds": walls, "cpu_milliseconds": cpus, "per_second": rates}
    checks: list[Check] = []
    for tier in boxes:
        wall, rate = walls[tier]["median"], rates[tier]
        checks += [
            Check(f"a run in tier {tier}", f"{wall:.0f} ms", f"<= {OVERHEAD:.0f} ms", wall <= OVERHEAD),
            Check(f"runs a second in tier {tier}", f"{rate:.0f}", f">= {RATE:.0f}", rate >= RATE),
        ]
    print("\n".join(check.line() for check in checks))
    keep("sandbox", result, checks, seconds=time.perf_counter() - since)
    return checks


def _holding(tier: str) -> Sandbox | None:
    """Walls of one kind, with an interpreter that everybody may read where this one is in a superuser's home."""
    for python in ((), ("/usr/bin/python3",)):
        box = Sandbox.model_validate({"tier": tier, "python": python})
        try:
            box.run(JOB)
        except SandboxError as error:
            print(f"{tier}: {error}", file=sys.stderr)
        else:
            return box
    return None


def _running(box: Sandbox) -> Callable[[], object]:
    def run() -> None:
        assert box.run(JOB).status == "passed"

    return run


def _bare() -> None:
    subprocess.run([sys.executable, "-I", "-S", "-c", "pass"], check=True)


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU time, in ms."""
    wall, cpu = time.perf_counter(), _cpu()
    work()
    return (time.perf_counter() - wall) * 1e3, (_cpu() - cpu) * 1e3


def _cpu() -> float:
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in spent)


def _rate(box: Sandbox, count: int) -> float:
    since, run = time.perf_counter(), _running(box)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for each in [pool.submit(run) for _ in range(count)]:
            each.result()
    return count / (time.perf_counter() - since)


if __name__ == "__main__":
    main(sys.argv[1:])
