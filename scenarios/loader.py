"""From a file to a checked scenario; what is wrong is said in one line with file, key path and the way out."""

import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..memory.errors import ScenarioError
from ..memory.parts import explain
from .schema import Limits, Scenario

LARGEST = 1 << 20
"""Bytes a scenario file may have."""
DEEPEST = 32
"""Nested tables it may have."""
PLACES = {"source": "path", "trainer": "teacher", "teacher": "tasks", "verifier": "database"}
"""Settings of parts that name a place on disk."""
DATA = "EVOLVENT_DATA"
"""Variable of the environment that holds the folder of public data; `$EVOLVENT_DATA/…` in a place stands for it."""


def read(path: Path) -> dict[str, Any]:
    """Read a TOML file as plain values.

    Raises:
        ScenarioError: missing, too large, not UTF-8 or not TOML.
    """
    if not path.is_file():
        shipped = sorted(p.name for p in Path(__file__).parent.glob("*.toml"))
        raise ScenarioError(f"{path}: no such scenario file; shipped with evolvent: {', '.join(shipped)}")
    try:
        if (size := path.stat().st_size) > LARGEST:
            raise ScenarioError(f"{path}: {size:,} bytes; a scenario may have {LARGEST:,}, put data in its own file")
        value = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    except (ValueError, RecursionError) as error:
        # a number of thousands of digits is refused as a value, and not as TOML
        reason = str(error) or "nested too deeply"
        raise ScenarioError(f"{path}: not a TOML file: {reason[:1].lower()}{reason[1:]}") from None
    if _depth(value) > DEEPEST:
        raise ScenarioError(f"{path}: tables nested deeper than {DEEPEST}; a scenario needs four")
    return value


def parse(value: dict[str, Any], *, where: str) -> Scenario:
    """Check plain values against the schema."""
    try:
        return Scenario.model_validate(value)
    except ValidationError as error:
        raise ScenarioError(explain(error, where=where, model=Scenario)) from None
    except RecursionError:
        raise ScenarioError(f"{where}: nested too deeply") from None


def load(path: Path, overrides: Sequence[str] = ()) -> Scenario:
    """Read and check a scenario file; see `values`.

    Raises:
        ScenarioError: it cannot be read, says something wrong, or needs data that the environment does not name.
    """
    return parse(values(path, overrides), where=str(path))


def values(path: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Read a scenario file as plain values and apply `a.b=c` overrides, each value read as TOML.

    `source.path`, `trainer.teacher`, `teacher.tasks`, `verifier.database`, files and interpreters of evaluations and a
    folder in `student.model` are made absolute, so that a run can be resumed from anywhere: relative to the file's
    folder where the file says it, to the current folder in an override. `$EVOLVENT_DATA/` at their beginning is the
    folder that the environment names.

    Raises:
        ScenarioError: it cannot be read, or needs data that the environment does not name.
    """
    value = read(path)
    # with a revision the student's model is no path
    for override in overrides:
        if override.startswith("student.revision"):
            amend(value, override)
    try:
        _anchor(value, path.absolute().parent)
        for override in overrides:
            amend(value, override)
        _anchor(value, Path.cwd())
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from None
    if (place := _beyond(value)) is not None:
        raise ScenarioError(
            f"{path}: {place}: a whole number of more than 64 bits, which TOML does not have; shorten it"
        )
    return value


def rebudget(scenario: Scenario, overrides: Sequence[str], *, where: str) -> Scenario:
    """Give a scenario another budget, or have it keep more or less, by `budget.key=value` overrides.

    Raises:
        ScenarioError: an override of anything else, or a value that cannot be.
    """
    value = scenario.model_dump(mode="json")
    for override in overrides:
        if not override.strip().startswith(("budget.", "keep.")):
            known = ", ".join([*(f"budget.{name}" for name in Limits.model_fields), "keep.checkpoints"])
            raise ScenarioError(
                f"--set {override!r}: a run that was begun keeps its scenario, and only {known} can change; "
                "for anything else start a new run with `evolvent run`"
            )
        amend(value, override)
    return parse(value, where=where)


def _anchor(value: dict[str, Any], folder: Path) -> None:
    """Make the places that a scenario names absolute: of parts, and of the student's folder."""
    for name, key in PLACES.items():
        _anchor_part(value.get(name), key, folder)
    for part in _readers(value):
        settings = part.get("settings", part)
        if isinstance(given := settings.get("model"), str) and given and not settings.get("revision"):
            # elsewhere it is the name of a model behind an endpoint, or an id on the hub
            settings["model"] = _absolute(folder, given) if _is_folder(folder, given) else given
    _anchor_evaluations(value.get("evaluations"), folder)
    student = value.get("student")
    # with a revision it is an id on the hub
    if isinstance(student, dict) and isinstance(given := student.get("model"), str) and not student.get("revision"):
        student["model"] = _absolute(folder, given) if given else given


def _anchor_evaluations(evaluations: Any, folder: Path) -> None:
    """Make the files and interpreters of evaluations absolute; one that is a name alone is looked for in PATH."""
    for part in evaluations.values() if isinstance(evaluations, dict) else ():
        _anchor_part(part, "path", folder)
        if isinstance(part, dict) and "/" in str(part.get("settings", part).get("python", "")):
            _anchor_part(part, "python", folder)


def _readers(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Parts that may read a model of their own: the scorer of curation, and engines by role."""
    curation, models = value.get("curation"), value.get("models")
    found = [curation.get("scorer")] if isinstance(curation, dict) else []
    found += [*models.values()] if isinstance(models, dict) else []
    return [part for part in found if isinstance(part, dict)]


def _is_folder(folder: Path, given: str) -> bool:
    try:
        return Path(_absolute(folder, given)).is_dir()
    except (OSError, ValueError):
        return False


def _anchor_part(part: Any, key: str, folder: Path) -> None:
    """Make one place of a part absolute, and of the parts that it is made of."""
    settings = part.get("settings", part) if isinstance(part, dict) else None
    if not isinstance(settings, dict):
        return
    if isinstance(given := settings.get(key), str) and given:
        settings[key] = _absolute(folder, given)
    inner = settings.get("parts")
    for each in inner if isinstance(inner, list) else ():
        _anchor_part(each, key, folder)


def _absolute(folder: Path, given: str) -> str:
    if given.startswith(f"${DATA}/"):
        if not (named := os.environ.get(DATA)):
            raise ScenarioError(f"{given}: {DATA} is not set; set it to the folder of the public data")
        given = str(Path.cwd() / named / given.removeprefix(f"${DATA}/"))
    try:
        return str(folder / Path(given).expanduser())
    except RuntimeError:
        # a home that there is not stays as it is written, and whoever reads it says that there is no such file
        return given


def amend(value: dict[str, Any], override: str) -> None:
    """Set one dotted key; a value that is not TOML is taken as text."""
    key, separator, text = override.partition("=")
    names = key.strip().split(".")
    if not separator or not all(names):
        raise ScenarioError(f"--set {override!r}: write it as key.path=value")
    try:
        setting = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        setting = text.strip()
    table: Any = value
    for name in names[:-1]:
        inner = table.setdefault(name, {})
        if isinstance(inner, str):
            # a part in its short form, as in `trainer = "sft"`
            inner = table[name] = {"name": inner}
        if not isinstance(inner, dict):
            raise ScenarioError(f"--set {override!r}: {name!r} is a value, not a table")
        table = inner
    table[names[-1]] = setting


def _beyond(value: Any, place: str = "") -> str | None:
    """Key of the first number that is no TOML integer, which a reader need not refuse."""
    if isinstance(value, int):
        return place if not -(2**63) <= value < 2**63 else None
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return next((f for k, v in inner if (f := _beyond(v, f"{place}.{k}" if place else str(k))) is not None), None)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max((_depth(v) for v in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((_depth(v) for v in value), default=0)
    return 0
