"""Whole sessions of shipped scenarios whose student is built from scratch, each beside its twin on evenly drawn data.

What the sealed report says before and after, and by how many points targeting beats the twin at equal samples and
steps; the first training is in the time.
"""

import argparse
import time
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from .machine import ROOT, Check, keep
from .session import session

Json = dict[str, Any]
SCENARIOS = ("sql", "json_extraction", "length_generalisation")


def main(argv: Sequence[str] | None = None) -> list[Check]:
    """Run the sessions, print and keep the results."""
    parser = argparse.ArgumentParser(prog="evolvent.benchmarks.shipped", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    options = parser.parse_args(argv)
    found: list[Check] = []
    for name in options.scenarios:
        since = time.perf_counter()
        runs: list[Json] = []
        for seed in options.seeds:
            runs.append(session(ROOT / "scenarios" / f"{name}.toml", seed, []))
            print(name, seed, runs[-1]["report"], runs[-1]["control"], f"{runs[-1]['wall_seconds']:.0f} s", flush=True)
        checks = judge(name, runs)
        path = keep(f"shipped_{name}", {"sessions": runs}, checks, seconds=time.perf_counter() - since)
        print("\n".join(check.line() for check in checks), f"\nwritten to {path}", flush=True)
        found += checks
    return found


def judge(name: str, runs: Sequence[Json]) -> list[Check]:
    """What the sessions came to: better surely, no guard worse; against the twin whatever comes out."""
    before, after = (", ".join(f"{100 * run['report'][when]:.1f}" for run in runs) for when in ("before", "after"))
    surely = min(run["report"]["low"] for run in runs)
    worse = sum(guard["worse"] for run in runs for guard in run["guards"].values())
    beside = [run["control"]["difference"] for run in runs if run["control"]]
    drawn = ", ".join(f"{100 * difference:+.1f}" for difference in beside)
    seconds, peak = max(run["wall_seconds"] for run in runs), max(run["peak_gib"] for run in runs)
    return [
        Check(f"{name}: sealed report, seeds", f"{before} -> {after} %", "lowest bound > 0", surely > 0),
        Check(f"{name}: guards significantly worse", str(worse), "0", worse == 0),
        Check(f"{name}: over even drawing", f"{drawn} points, mean {100 * fmean(beside):+.1f}", "said plainly", True),
        Check(f"{name}: longest; peak memory", f"{seconds:.0f} s; {peak:.2f} GiB", "said plainly", True),
    ]


if __name__ == "__main__":
    main()
