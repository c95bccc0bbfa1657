"""Whether a session would work here: the installation, the machine, its folders, and the models of a scenario.

Nothing is loaded, trained or left behind. Versions come from the metadata of what is installed, so a broken package is
reported and not imported.
"""

import ast
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from importlib import metadata, util
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from ...memory.errors import EvolventError
from ...memory.finding import Finding
from ...scenarios import loader
from ...scenarios.schema import Scenario
from ...training.serving.launch import installed_build
from ...training.student import cache_folder
from .. import ground
from ..estimate import estimate
from ..parts import Parts
from ..reaching import looks
from ..welcome import welcome

OWN = "evolvent"
NAMED = ("torch", "transformers", "trl", "peft", "datasets", "langgraph", "chromadb")
"""Packages whose versions are told; the others are counted."""
PINNED = "try: pip install -c constraints.txt -e ."
DISK, MEMORY = 2e9, 1.5e9
"""Bytes below which a default session gets tight: it takes 0.1 GB of disk and 0.7 GB of memory."""
PATIENCE = 4.0
"""Seconds the driver of a GPU may take to answer."""


def look(runs: Path, path: Path | None, overrides: Sequence[str], *, allow_import: bool) -> Iterator[Finding]:
    """Look at everything, each finding as soon as it is there.

    Args:
        runs: folder for runs.
        path: scenario file; without one only the machine is looked at.
        overrides: of the scenario, as `key=value`.
        allow_import: load parts of the user's own.
    """
    yield _python()
    yield from _packages()
    yield _torch()
    yield _vllm()
    yield _memory()
    yield _folder("runs folder", runs, "choose another folder with --runs-dir")
    yield _folder("cache folder", cache_folder(), "choose another one with EVOLVENT_CACHE")
    if path is not None:
        yield from _scenario(path, overrides, runs, allow_import=allow_import)


def _python() -> Finding:
    here, window = platform.python_version(), metadata.metadata(OWN)["Requires-Python"]
    if Version(here) in SpecifierSet(window):
        return Finding("python", "ok", here)
    return Finding("python", "fail", f"{here}, tested are {window}", "make the environment with one of those")


def _packages() -> Iterator[Finding]:
    """Every requirement against what is installed; those that fit share a line."""
    good: dict[str, str] = {}
    for requirement in _requirements(""):
        found = _installed(requirement.name)
        if found is not None and requirement.specifier.contains(found, prereleases=True):
            good[requirement.name] = found
            continue
        said = f"version {found}" if found else "not installed"
        yield Finding(requirement.name, "fail", f"{said}, tested are {requirement.specifier}", PINNED)
    told = [f"{name} {good[name]}" for name in NAMED if name in good]
    yield Finding("packages", "ok", f"{len(good)} inside the tested window: {', '.join(told)}")


def _requirements(extra: str) -> list[Requirement]:
    """What this package asks for, or what one of its extras adds."""
    listed = [Requirement(line) for line in metadata.requires(OWN) or []]
    core = [r for r in listed if r.marker is None or r.marker.evaluate({"extra": ""})]
    return [r for r in listed if r not in core and r.marker and r.marker.evaluate({"extra": extra})] if extra else core


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _torch() -> Finding:
    """The accelerator torch was built for, against the one that is there."""
    built, gpu = _build(), _gpu()
    if gpu and not built:
        remedy = "install torch for it: https://pytorch.org/get-started/locally"
        return Finding("gpu", "warn", f"{gpu}, but torch is built for the CPU alone", remedy)
    said = f"torch is built for {built or 'the CPU'}"
    return Finding("gpu", "ok", f"{gpu or 'none, everything runs on the CPU'}; {said}")


def _build() -> str:
    """Such as `cuda 12.8`; empty for a build without. Read from torch's source, for importing it takes seconds."""
    spec = util.find_spec("torch")
    if spec is None or spec.origin is None:
        return ""
    try:
        lines = ast.parse(Path(spec.origin).with_name("version.py").read_text()).body
    except (OSError, SyntaxError):
        return ""
    told = {
        line.target.id: line.value.value
        for line in lines
        if isinstance(line, ast.AnnAssign)
        and isinstance(line.target, ast.Name)
        and isinstance(line.value, ast.Constant)
    }
    return next((f"{name} {told[name]}" for name in ("cuda", "hip", "xpu") if told.get(name)), "")


def _gpu() -> str:
    """What NVIDIA's driver lists; empty without one."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    asked = [program, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        # the driver's own program, with arguments that are fixed
        said = subprocess.run(asked, capture_output=True, text=True, timeout=PATIENCE)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return "; ".join(said.stdout.split("\n")).strip("; ") if said.returncode == 0 else ""


def _vllm() -> Finding:
    try:
        build = installed_build()
    except EvolventError:
        return Finding("vllm", "ok", "not installed, and only engine 'vllm' needs it; to have it: make vllm")
    (window,) = [r.specifier for r in _requirements("vllm")]
    if window.contains(build.split()[1], prereleases=True):
        return Finding("vllm", "ok", f"build {build}")
    return Finding("vllm", "fail", f"build {build}, tested are {window}", "try: make vllm")


def _memory() -> Finding:
    free, cores = _free(), f"{os.cpu_count()} cores"
    if free is None:
        return Finding("memory", "ok", f"cannot be told on this system; {cores}")
    said = f"{free / 1e9:,.1f} GB free, {cores}"
    if free >= MEMORY:
        return Finding("memory", "ok", said)
    return Finding("memory", "warn", said, "end other programs: a default session takes 0.7 GB")


def _free() -> int | None:
    """Bytes of memory that a program could have, as Linux tells them."""
    try:
        told = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        return 1024 * int(told["MemAvailable"].split()[0])
    except (OSError, ValueError, KeyError):
        return None


def _folder(about: str, folder: Path, instead: str) -> Finding:
    try:
        free = ground.check(folder, 0, instead=instead)
    except EvolventError as error:
        return Finding.of_error(about, error)
    said = f"{folder} can be written, {free / 1e9:,.1f} GB free"
    return Finding(about, "ok", said) if free >= DISK else Finding(about, "warn", said, f"make room, or {instead}")


def _scenario(path: Path, overrides: Sequence[str], runs: Path, *, allow_import: bool) -> Iterator[Finding]:
    """The parts of a scenario, the room it takes, and every model it asks."""
    try:
        scenario = loader.load(path, overrides)
        parts = Parts.resolve(scenario, str(path), allow_import=allow_import)
    except EvolventError as error:
        yield Finding.of_error("scenario", error)
        return
    yield Finding("scenario", "ok", f"{path} names parts that exist; `evolvent scenario validate` looks at its tasks")
    yield _disk(runs, estimate(scenario, parts, limit=None).bytes)
    for _, found in looks(scenario, parts):
        yield found
    if scenario.student.model:
        yield _student(scenario, parts)


def _disk(runs: Path, wanted: int) -> Finding:
    try:
        free = ground.check(runs, wanted)
    except EvolventError as error:
        return Finding.of_error("disk", error)
    return Finding("disk", "ok", f"a session takes about {wanted / 1e6:,.0f} MB, {free / 1e6:,.0f} MB are free")


def _student(scenario: Scenario, parts: Parts) -> Finding:
    """A model that somebody brings: its files, its tokenizer and its chat template."""
    try:
        found = welcome(scenario.student, parts.engine)
    except EvolventError as error:
        return Finding.of_error("student", error)
    size = f" ({found.parameters / 1e6:,.1f} million parameters)" if found.parameters else ""
    return Finding("student", "ok", f"{scenario.student.model}{size} can be loaded, asked and trained")
