"""All the evidence, in order; each benchmark leaves its JSON file in `results/`, and the end says what held."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import NoReturn

from ..training import device
from . import (
    client,
    curation,
    data_preparation,
    engines,
    fleet,
    gate,
    gpu,
    gpu_memory,
    growth,
    inference,
    kills,
    relevance,
    sandbox,
    scan,
    scoring,
    serving,
    session,
    shipped,
    steps,
    traces,
    trainers,
    training,
    viewer,
)
from .bench import running
from .machine import Check


def experiments(_: Sequence[str]) -> list[Check]:
    """Every experiment of the laboratory, as far as its results are not there already."""
    return [check for name in running.known() for check in running.run(name, seeds=None)]


BENCHMARKS: dict[str, tuple[Callable[[Sequence[str]], list[Check]], list[str]]] = {
    "gate": (gate.main, []),
    "training": (training.main, []),
    "trainers": (trainers.main, []),
    "steps": (steps.main, []),
    "inference": (inference.main, []),
    "client": (client.main, ["--rivals"]),
    "curation": (curation.main, []),
    "curation_sizes": (curation.main, ["--table"]),
    "growth": (growth.main, []),
    "fleet": (fleet.main, []),
    "session": (session.main, ["--seeds", "0", "1", "2", "3", "4", "--twice", "0"]),
    "data_preparation": (data_preparation.main, []),
    "relevance": (relevance.main, []),
    "scan": (scan.main, []),
    "shipped": (shipped.main, []),
    "kills": (kills.main, []),
    "sandbox": (sandbox.main, []),
    "traces": (traces.main, []),
    "scoring": (scoring.main, []),
    "viewer": (viewer.main, []),
    "lab": (experiments, []),
}
SERVED: dict[str, tuple[Callable[[Sequence[str]], list[Check]], list[str]]] = {
    "serving": (serving.main, []),
    "engines": (engines.main, []),
}
"""Those that need vLLM: `make vllm`."""
ON_A_GPU: dict[str, tuple[Callable[[Sequence[str]], list[Check]], list[str]]] = {
    "gpu": (gpu.main, []),
    "gpu_memory": (gpu_memory.main, []),
}


def main() -> NoReturn:
    """Run everything and exit with 1 if a promise was not kept."""
    argparse.ArgumentParser(prog="evolvent.benchmarks", description=__doc__).parse_args()
    checks: dict[str, list[Check]] = {}
    wanted = BENCHMARKS | (SERVED if find_spec("vllm") else {}) | (ON_A_GPU if device.gpus() else {})
    for name, (run, arguments) in wanted.items():
        since = time.perf_counter()
        print(f"\n{name}", flush=True)
        checks[name] = run(arguments)
        print(f"{name}: {time.perf_counter() - since:.0f} s", flush=True)
    print("\nsummary")
    for name, lines in checks.items():
        print("\n".join(f"{name:<10}{check.line()}" for check in lines))
    failed = sum(not check.met for lines in checks.values() for check in lines)
    print(f"{failed} of {sum(map(len, checks.values()))} promises not kept" if failed else "every promise kept")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
