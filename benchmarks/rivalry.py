"""Other programs that ask models for data, against the same endpoint as the client, each in an environment of its own.

A script in `rivals/` makes one of them ask as many prompts as it is told, with the settings that serve it best. The
rate is the endpoint's: answers over the time from its first call to the end of its last, so that no start-up counts.
"""

import json
import os
import shlex
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .machine import ROOT, Check

SCRIPTS = Path(__file__).parent / "rivals"
ENVIRONMENTS = ROOT / ".cache" / "rivals"
PATIENCE = 900.0
"""Seconds a rival may take."""
TIMES = 3.0
"""How many times as fast the client has to be."""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rival:
    """Another program."""

    package: str
    """Its distribution, whose version is reported."""
    install: tuple[str, ...]
    """What pip installs."""
    settings: str
    """With what it is asked, in words."""


RIVALS = {
    # 1.5.3 imports requests and bs4 and requires neither
    "distilabel": Rival(
        "distilabel",
        ("distilabel[openai]", "requests", "beautifulsoup4"),
        "TextGeneration with OpenAILLM, batches of as many calls as are made at once, no cache, log level ERROR",
    ),
    "data_designer": Rival(
        "data-designer",
        ("data-designer",),
        "one llm-text column on a seed of prompts, max_parallel_requests as calls at once, one row group, four times "
        "as many tasks in flight, native templates, no health check, early shutdown, telemetry or metrics",
    ),
    "inspect": Rival(
        "inspect-ai",
        ("inspect-ai", "openai[aiohttp]"),
        "eval with max_connections and max_samples as calls at once, the SDK's aiohttp client, log_realtime, scoring, "
        "model API log and display off",
    ),
}


def prepare(name: str) -> str:
    """Install a rival where it is not; give its version.

    Raises:
        RuntimeError: it cannot be installed.
    """
    install(name, RIVALS[name].install)
    return installed(name, RIVALS[name].package)


def install(name: str, packages: Sequence[str]) -> None:
    """Make an environment with these packages where it is not there.

    Raises:
        RuntimeError: they cannot be installed.
    """
    folder = ENVIRONMENTS / name
    done = folder / "installed.json"
    if not done.exists() or json.loads(done.read_text()) != list(packages):
        do(sys.executable, "-m", "venv", "--clear", str(folder))
        extra = shlex.split(os.environ.get("PIP_ARGS", ""))
        do(python(name), "-m", "pip", "install", "--quiet", *extra, *packages)
        done.write_text(json.dumps(packages))


def installed(name: str, package: str) -> str:
    """Version of a package in an environment."""
    return do(python(name), "-c", f"from importlib.metadata import version; print(version({package!r}))").strip()


def compete(name: str, url: str, *, calls: int, at_once: int) -> dict[str, float]:
    """Have a rival ask; give answers per second at the endpoint, its CPU time per call, and what was lost.

    Raises:
        RuntimeError: it did not come to an end.
    """
    # -P: a script called like the package it imports must not be found in its place
    said = do(python(name), "-P", str(SCRIPTS / f"{name}.py"), url, str(calls), str(at_once))
    told = json.loads(said.splitlines()[-1])
    return {
        "per_second": spanned(url),
        "per_second_with_start": told["answered"] / told["seconds"],
        "cpu_us": 1e6 * told["cpu_seconds"] / calls,
        "lost": calls - told["answered"],
    }


def spanned(url: str) -> float:
    """Answers per second, as an endpoint counted them."""
    with urllib.request.urlopen(f"{url}/spanned") as reply:  # noqa: S310  # an address on loopback
        told = json.load(reply)
    return told["answered"] / told["seconds"]


def checks(client: float, rivals: dict[str, Json]) -> list[Check]:
    """One check a rival.

    Args:
        client: our answers per second at the same endpoint in the same run.
        rivals: the result of each, or its error.
    """
    found: list[Check] = []
    for name, result in rivals.items():
        claim = f"calls per second over {RIVALS[name].package}"
        if "error" in result:
            found.append(Check(claim, "could not be run", f">= {TIMES:g}x", met=False))
            continue
        ratio = client / result["per_second"]["median"]
        found.append(Check(claim, f"{ratio:.1f}x", f">= {TIMES:g}x", ratio >= TIMES))
    return found


def python(name: str) -> str:
    """The interpreter of an environment."""
    return str(ENVIRONMENTS / name / "bin" / "python")


def do(*command: str) -> str:
    """Run a command and give what it printed.

    Raises:
        RuntimeError: it failed.
    """
    since = time.perf_counter()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{_short(command)} was not done after {time.perf_counter() - since:.0f} s") from None
    if done.returncode:
        raise RuntimeError(f"{_short(command)} ended with {done.returncode}: {done.stderr.strip()[-400:]}")
    return done.stdout


def _short(command: Sequence[str]) -> str:
    return " ".join(Path(word).name if word.startswith("/") else word for word in command[:4])
