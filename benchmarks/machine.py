"""Where a figure was measured, and what every benchmark leaves behind: one JSON file with facts, figures and checks."""

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
PACKAGES = ("torch", "transformers", "trl", "datasets", "langgraph", "langgraph-checkpoint-sqlite", "chromadb", "numpy")


@dataclass(frozen=True, slots=True)
class Check:
    """One claim, what was measured and what was required."""

    claim: str
    measured: str
    required: str
    met: bool

    def line(self) -> str:
        """The check as text."""
        return f"{'pass' if self.met else 'FAIL'}  {self.claim:<58} {self.measured:<28} required {self.required}"


def facts() -> dict[str, Any]:
    """Commit, versions and hardware; `changed` says that the working tree held more than the commit."""
    return {
        "commit": _git("rev-parse", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!benchmarks/results")),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "processor": _processor(),
        "cpus": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load": [round(x, 2) for x in os.getloadavg()],
    }


def keep(name: str, result: Mapping[str, Any], checks: Sequence[Check], *, seconds: float) -> Path:
    """Write `results/NAME.json`."""
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    whole = {**result, "checks": [asdict(c) for c in checks], "made": {**facts(), "seconds": round(seconds, 1)}}
    path.write_text(json.dumps(whole, indent=1) + "\n")
    return path


def kept(name: str) -> list[Check]:
    """Read the checks of an earlier run; none where there was none."""
    path = RESULTS / f"{name}.json"
    return [Check(**c) for c in json.loads(path.read_text()).get("checks", [])] if path.exists() else []


def median_and_range(values: Sequence[float]) -> dict[str, float]:
    """Middle, smallest and largest."""
    ordered, middle = sorted(values), len(values) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return {"median": median, "low": ordered[0], "high": ordered[-1]}


def _git(*arguments: str) -> str | None:
    if not shutil.which("git"):
        return None
    found = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return found.stdout.strip() or None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
