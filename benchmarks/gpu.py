"""Sessions of `arithmetic` with the student on a GPU, full weights and LoRA, beside the same on the processor."""

import argparse
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch

from ..training.device import choose
from .engines import METHODS, STUDENT
from .machine import Check, keep
from .session import POINTS, SCENARIO, session

Json = dict[str, Any]

PLACES = {"gpu": {}, "processor": {"CUDA_VISIBLE_DEVICES": ""}}
"""Where a student computes, and what of the environment says so."""
SAME = ("datasets", "students", "decisions")


def main(argv: Sequence[str] | None = None) -> list[Check]:
    """Run the sessions, print and keep the result.

    Raises:
        UnavailableError: torch sees no GPU.
    """
    parser = argparse.ArgumentParser(prog="evolvent.benchmarks.gpu", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--together", type=int, default=1, help="sessions at a time")
    options = parser.parse_args(argv)
    choose("cuda")
    since = time.perf_counter()
    first = options.seeds[0]
    wanted = [(m, seed, place) for m in options.methods for seed in options.seeds for place in PLACES]
    wanted += [(m, first, "gpu") for m in options.methods]
    with ThreadPoolExecutor(options.together) as pool:
        sessions = list(pool.map(run, *zip(*wanted, strict=True)))
    checks = [check for m in options.methods for check in judge(m, [s for s in sessions if s["method"] == m])]
    found = {"card": torch.cuda.get_device_name(), "together": options.together, "sessions": sessions}
    path = keep("gpu", found, checks, seconds=time.perf_counter() - since)
    print("\n".join(c.line() for c in checks), f"\nwritten to {path}")
    return checks


def run(method: str, seed: int, place: str) -> Json:
    """Run a session; the student of both methods is the one that `engines.py` compares."""
    found = session(SCENARIO, seed, [*STUDENT, *METHODS[method]], within=PLACES[place])
    print(method, seed, place, f"{found['wall_seconds']:.0f} s", json.dumps(found["report"]), flush=True)
    return {"method": method, "place": place, **found}


def judge(method: str, sessions: Sequence[Json]) -> list[Check]:
    """Check a method's gains; the last session is the first one again."""
    *gpu, again = [s for s in sessions if s["place"] == "gpu"]
    least = min(s["report"]["change"] if s["report"] else -1.0 for s in gpu)
    worse = sum(g["worse"] for s in gpu for g in s["guards"].values())
    same = [name for name in SAME if again[name] == gpu[0][name]]
    walls = {p: [s["wall_seconds"] for s in sessions if s["place"] == p] for p in PLACES}
    times = "; ".join(f"{p} {min(seconds):.0f} to {max(seconds):.0f} s" for p, seconds in walls.items())
    return [
        Check(f"{method}: sealed report, worst seed", f"{100 * least:+.1f} points", "as session.py", least >= POINTS),
        Check(f"{method}: guards significantly worse", str(worse), "0", worse == 0),
        Check(f"{method}: the first seed twice", ", ".join(same) or "nothing", ", ".join(SAME), len(same) == len(SAME)),
        Check(f"{method}: wall", times, "said plainly", True),
    ]


if __name__ == "__main__":
    main()
