"""Sandboxes for tests: every kind of walls that holds on this machine; the summary of a test run says which do."""

import os
import shutil
from pathlib import Path
from typing import Any

from evolvent.scenarios.sandbox.sandbox import Job, Sandbox, SandboxError

SYSTEM = "/usr/bin/python3"
NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", SYSTEM)
"""A user without rights, who may not look into a superuser's home, where an interpreter may lie."""

RIGHT = "def same(x):\n    return x"


def walls(way: str, **settings: Any) -> Sandbox:
    """Give a sandbox of one kind; tests that use it fail where it does not hold."""
    tier, _, user = way.partition(" as ")
    own = os.geteuid() != 0 or tier == "namespaces"
    python = NOBODY if user else () if own or not Path(SYSTEM).exists() else (SYSTEM,)
    return Sandbox.model_validate({"tier": tier, "python": python, **settings})


def _asked() -> list[str]:
    """A superuser can be somebody else as well."""
    both = ["namespaces", "landlock"]
    nobody = os.geteuid() == 0 and shutil.which("setpriv") and Path(SYSTEM).exists()
    return [*both, *(f"{tier} as nobody" for tier in both if nobody)]


def _said(way: str) -> str:
    job = Job(prompt="", answer=RIGHT, reference=RIGHT, tests="assert same(1) == 1")
    try:
        return "holds" if walls(way).run(job).status == "passed" else "is broken"
    except SandboxError as error:
        return f"does not hold: {error}"


SAID = {way: _said(way) for way in _asked()}
WAYS = [way for way, said in SAID.items() if not said.startswith("does not hold")] or ["namespaces"]
"""Where nothing holds, tests fail: no code of a model could be run."""


def held() -> str:
    """What holds on this machine, in words."""
    return ", ".join(f"{way} {said}" for way, said in SAID.items())


def survivors(starter: int | None = None) -> list[str]:
    """Processes of sandboxes that a process, this one by default, started."""
    number = str(starter or os.getpid()).encode()
    found: list[str] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(b"sandbox.cell" in word for word in words) and number in words:
            found.append(path.parent.name)
    return found
