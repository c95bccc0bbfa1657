"""A scenario checked in every way, ready to run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..memory.errors import ScenarioError, UnavailableError
from ..memory.records import Session
from ..scenarios import loader
from ..scenarios.fitting import Fitted, fit
from ..scenarios.schema import Scenario
from ..scenarios.splits import NOTHING as NONE
from ..scenarios.splits import Splits
from ..scenarios.validation import Validation, validate
from ..training.reading import Elsewhere, Reader
from . import graph
from .discovering import OPEN, bounding, finding, left_open, whole
from .earlier import Earlier, read
from .estimate import Estimate, estimate, estimate_probe, row_tokens
from .families import faults
from .gpu import Room, room, short
from .mistakes import FEW, mistakes
from .parts import Parts
from .quiet import quiet
from .reaching import unreachable
from .teachable import unteachable
from .welcome import Welcome, welcome

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked scenario, ready to run."""

    path: Path
    toml: str
    scenario: Scenario
    parts: Parts
    seed: int
    limit: int | None
    overrides: tuple[str, ...]
    probe: bool
    """Whether only to probe."""
    earlier: Earlier | None
    """What it goes on from."""
    validation: Validation
    estimate: Estimate
    room: Room | None
    """What it takes of a GPU, where the student is a model that somebody brings."""
    open: Mapping[str, list[str]]
    """Sizes that the scenario leaves open."""
    reader: Reader
    """How the student reads."""

    def lines(self) -> list[str]:
        """The plan as text."""
        before = [self.earlier.line()] if self.earlier else []
        about = [f"scenario {self.scenario.name}: {self.path}", *before, *finding(self.scenario, self.parts)]
        memory = self.room.lines() if self.room else short(self.scenario, self.parts)
        return [*about, *self.validation.lines(), *self.estimate.lines(), *memory]

    def session(self) -> Session:
        """The session that the plan is for."""
        settings: Json = {
            "file": str(self.path),
            "overrides": list(self.overrides),
            "source": self.parts.source.fingerprint(),
        }
        if files := self.parts.rests_on():
            settings["files"] = dict(files)
        if self.probe:
            settings["probe"] = {"teachable": self.parts.engine.serves}
        if self.scenario.discover:
            settings[OPEN] = {table: list(names) for table, names in self.open.items()}
        if self.earlier:
            settings["from"] = self.earlier.facts()
        return Session(
            name=self.scenario.name,
            scenario=self.scenario.hash,
            seed=self.seed,
            limit=self.limit,
            graph=graph.fingerprint(probe=self.probe),
            settings=settings,
        )

    def facts(self) -> Json:
        """The plan as JSON."""
        return {
            "event": "plan",
            "scenario": self.scenario.name,
            "hash": self.scenario.hash,
            "select_items": self.validation.select,
            "smallest_gain": self.validation.gain,
            "smallest_guard_loss": dict(self.validation.losses),
            "warnings": list(self.validation.warnings),
            **self.estimate.facts(),
            **({"memory": self.room.facts()} if self.room else {}),
            **({"from": self.earlier.facts()} if self.earlier else {}),
        }


def plan(
    path: Path, overrides: Sequence[str], *, seed: int, limit: int | None, allow_import: bool, probe: bool = False,
    before: Path | None = None, reach: bool = False,
) -> Plan:  # fmt: skip
    """Read and check a scenario without running anything; everything that is wrong with it is said at once.

    Args:
        path: the scenario file.
        overrides: of its settings, as `key=value`.
        seed: fixes what the exams hold.
        limit: items and samples per stage at most.
        allow_import: load parts of the user's own.
        probe: whether it is only to be probed.
        before: the run to go on from, if there is one.
        reach: whether the models that it asks have to answer.

    Raises:
        ScenarioError: anything about it is wrong, or its tasks do not suffice.
        UnavailableError: nothing is wrong but that a model is not there.
        RunError: the run cannot be gone on from.
    """
    quiet()
    written = _read(path, overrides, allow_import=allow_import)
    parts = Parts.resolve(written, str(path), allow_import=allow_import)
    student, unwelcome = _welcome(written, parts)
    earlier = read(before, written, parts, where=str(path)) if before else None
    fitted, splits, earlier = _fitted(written, parts, seed, limit, earlier)
    scenario = fitted.scenario
    validation = validate(splits, shrunk=fitted.shrunk)
    validation = replace(validation, warnings=(*validation.warnings, *parts.teacher.warnings(splits)))
    lacking = validation.errors if limit is None else ()
    # where tasks lack, a few of each are looked at all the same, so that everything wrong is said at once
    # which items the exams hold is known only when the skills are, so all tasks that may be items are looked at
    looked, few = whole(splits) if scenario.discover else (splits, limit)
    wrong = mistakes(looked, parts, student.reader, limit=FEW if lacking else few)
    # last, so that a skill which is short of tasks is not named for the same once more
    wrong += [said for said in unteachable(splits, parts.trainer, student.reader) if not lacking]
    wrong += [str(unwelcome)] if isinstance(unwelcome, ScenarioError) else []
    absent = [str(unwelcome)] if isinstance(unwelcome, UnavailableError) else []
    absent += unreachable(written, parts) if reach else []
    without = f" without what {before} and the runs before it have examined" if before else ""
    _refuse(f"{path}{without}", [*lacking, *wrong], absent)
    inherited = len(earlier.samples) if earlier else None
    bounds, tokens = bounding(scenario, parts), row_tokens(looked, student.reader)
    return Plan(
        path=path,
        toml=path.read_text(encoding="utf-8-sig"),
        scenario=scenario,
        parts=parts,
        seed=seed,
        limit=limit,
        overrides=tuple(overrides),
        probe=probe,
        earlier=earlier,
        validation=validation,
        room=room(scenario, parts),
        estimate=estimate_probe(bounds, parts, limit=limit, parameters=student.parameters, tokens=tokens)
        if probe
        else estimate(bounds, parts, limit=limit, parameters=student.parameters, tokens=tokens, inherited=inherited),
        open=left_open(written),
        reader=student.reader,
    )


def _read(path: Path, overrides: Sequence[str], *, allow_import: bool) -> Scenario:
    """A scenario whose tables are right; where they are not, what is wrong with its parts is said as well."""
    value = loader.values(path, overrides)
    try:
        return loader.parse(value, where=str(path))
    except ScenarioError as error:
        said = faults(value, where=str(path), allow_import=allow_import)
        raise ScenarioError("; ".join([str(error), *said])) from None


def _welcome(scenario: Scenario, parts: Parts) -> tuple[Welcome, ScenarioError | UnavailableError | None]:
    """The student, or why it cannot be one; the tasks are then looked at as if it could read all of them."""
    try:
        return welcome(scenario.student, parts.engine), None
    except (ScenarioError, UnavailableError) as error:
        return Welcome(Elsewhere(), 0), error


def _refuse(where: str, wrong: Sequence[str], absent: Sequence[str]) -> None:
    """Say what is wrong, if anything is, and which models are not there."""
    if wrong or absent:
        kind = ScenarioError if wrong else UnavailableError
        raise kind(f"{where}: {'; '.join([*wrong, *absent])}")


def _fitted(
    written: Scenario, parts: Parts, seed: int, limit: int | None, earlier: Earlier | None
) -> tuple[Fitted, Splits, Earlier | None]:
    """Fit sizes to the source, without what an earlier run examined or was taught so much of that it is given away."""
    while True:
        known = earlier.opened if earlier else NONE
        fitted = fit(Splits(written, parts.source, seed, known))
        splits = Splits(fitted.scenario, parts.source, seed, known)
        given_away = earlier.given_away(splits, limit=limit) if earlier else []
        if earlier is None or not given_away:
            return fitted, splits, earlier
        earlier = earlier.beside(given_away)
