"""Sessions from outside: plan one, start it, go on with it."""

import asyncio
import json
import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..memory import crash, files
from ..memory.errors import BudgetError, ScenarioError
from ..memory.records import Session
from ..memory.stopping import STOP, Stopped
from ..memory.trace import spent
from ..scenarios import loader
from ..scenarios.fitting import Fitted, fit
from ..scenarios.schema import Scenario
from ..scenarios.splits import NOTHING as NONE
from ..scenarios.splits import Splits
from ..scenarios.validation import Validation, validate
from . import graph
from .bill import bill
from .desk import Desk, Parts
from .earlier import Earlier, read
from .estimate import Estimate, estimate, estimate_probe
from .folder import begun
from .hook import Hook
from .mistakes import FEW, mistakes
from .progress import Progress
from .results import result, status, stored_session, write_report
from .summary import summarize
from .watcher import Watcher
from .welcome import welcome

Json = dict[str, Any]

NOTHING = Hook()
QUIET = {
    "ANONYMIZED_TELEMETRY": "False",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "LANGGRAPH_STRICT_MSGPACK": "true",
    "LANGSMITH_TRACING": "false",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
}
"""Telemetry off, checkpoints without code, no bars between our lines; what the user set stays."""


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

    def lines(self) -> list[str]:
        """The plan as text."""
        before = [self.earlier.line()] if self.earlier else []
        about = [f"scenario {self.scenario.name}: {self.path}", *before]
        return [*about, *self.validation.lines(), *self.estimate.lines()]

    def session(self) -> Session:
        """The session that the plan is for."""
        settings: Json = {
            "file": str(self.path),
            "overrides": list(self.overrides),
            "source": self.parts.source.fingerprint(),
        }
        if self.probe:
            settings["probe"] = {"teachable": self.parts.engine.serves}
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
            **({"from": self.earlier.facts()} if self.earlier else {}),
        }


def plan(
    path: Path, overrides: Sequence[str], *, seed: int, limit: int | None, allow_import: bool, probe: bool = False,
    before: Path | None = None,
) -> Plan:  # fmt: skip
    """Read and check a scenario without running anything; `before` is the run to go on from, if there is one.

    Raises:
        ScenarioError: anything about it is wrong, or its tasks do not suffice.
        RunError: the run cannot be gone on from.
    """
    quiet()
    written = loader.load(path, overrides)
    parts = Parts.resolve(written, str(path), allow_import=allow_import)
    student = welcome(written.student, parts.engine)
    earlier = read(before, written, parts, where=str(path)) if before else None
    fitted, splits, earlier = _fitted(written, parts, seed, limit, earlier)
    scenario = fitted.scenario
    validation = validate(splits, shrunk=fitted.shrunk)
    lacking = validation.errors if limit is None else ()
    # where tasks lack, a few of each are looked at all the same, so that everything wrong is said at once
    wrong = mistakes(splits, parts, student.reader, limit=FEW if lacking else limit)
    if lacking or wrong:
        without = f" without what {before} and the runs before it have examined" if before else ""
        raise ScenarioError(f"{path}{without}: {'; '.join([*lacking, *wrong])}")
    inherited = len(earlier.samples) if earlier else None
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
        estimate=estimate_probe(scenario, parts, limit=limit, parameters=student.parameters)
        if probe
        else estimate(scenario, parts, limit=limit, parameters=student.parameters, inherited=inherited),
    )


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


def start(plan: Plan, runs: Path, *, since: float, json_lines: bool, hook: Hook = NOTHING) -> Json:
    """Run a new session to its end.

    Raises:
        UnavailableError: a model is not there; nothing was written.
        BudgetError: a budget is spent; the run goes on with a larger one.
    """
    plan.parts.greet()
    session = plan.session()
    stamp = datetime.now().astimezone().strftime("%Y-%m-%dT%H-%M-%S")
    progress = Progress(1 if plan.probe else plan.scenario.rounds.most, expected=plan.estimate.seconds)

    def open_desk(watcher: Watcher) -> Desk:
        return Desk.create(
            runs, plan.scenario, plan.parts, session, toml=plan.toml, stamp=stamp, watcher=watcher, since=since,
            earlier=plan.earlier.pack if plan.earlier else None,
        )  # fmt: skip

    return _run(open_desk, progress, json_lines=json_lines, hook=hook)


def resume(
    run: Path, *, since: float, json_lines: bool, allow_import: bool, overrides: Sequence[str] = (),
    hook: Hook = NOTHING,
) -> Json:  # fmt: skip
    """Go on with a session, with another budget where the overrides say so; a finished one only gives its result."""
    if status(run) == "finished":
        return result(run)
    graph.check(run, begun(run)[1])
    progress = Progress(0)

    def open_desk(watcher: Watcher) -> Desk:
        desk = Desk.reopen(run, watcher=watcher, since=since, allow_import=allow_import, overrides=overrides)
        progress.rounds = 1 if desk.session.only_probes else desk.scenario.rounds.most
        return desk

    return _run(open_desk, progress, json_lines=json_lines, hook=hook)


def quiet() -> None:
    """Keep libraries from reporting to anybody and from writing between our lines; call it before they are imported."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)


def _run(open_desk: Callable[[Watcher], Desk], progress: Progress, *, json_lines: bool, hook: Hook) -> Json:
    """Open a desk, run the graph, write the report, tell the hook; on standard output only JSON lines, if asked for."""
    quiet()
    watcher: Watcher = _Lines(progress) if json_lines else progress
    progress.start()
    try:
        with _stdout_is_ours():
            desk = open_desk(watcher)
            try:
                _emit(json_lines, {"event": "launch", "run": desk.run.name, "dir": str(desk.run), "pid": os.getpid()})
                return _advance(desk)
            except Stopped:
                _set_status(desk.run, "interrupted")
                progress.console.print(
                    f"interrupted; go on with: evolvent resume {desk.run}", markup=False, soft_wrap=True
                )
                raise
            except BudgetError:
                _conclude(desk, "spent")
                raise
            except BaseException:
                _set_status(desk.run, "failed")
                progress.console.print(
                    f"stopped; after mending the cause: evolvent resume {desk.run}", markup=False, soft_wrap=True
                )
                raise
            finally:
                desk.close()
                if wrong := hook.after(desk.run):
                    progress.console.print(f"warning: {wrong}", markup=False, soft_wrap=True)
    finally:
        progress.stop()


def _advance(desk: Desk) -> Json:
    _set_status(desk.run, "running")
    with spent("start-up"):
        _import_heavy(learning=desk.parts.engine.serves)
    status = asyncio.run(graph.advance(desk))
    STOP.heed()
    return _conclude(desk, status)


def _conclude(desk: Desk, status: str) -> Json:
    """Write down what the session has come to."""
    for key, value in desk.effects.clock().items():
        desk.ledger.set_meta(key, value)
    found = summarize(
        desk.ledger, desk.scenario, desk.session, run=desk.run.name, directory=str(desk.run), status=status
    ) | {"models": bill(desk.run, desk.scenario)}
    crash.point("report.before_write")
    write_report(desk.run, found)
    # after the report: a finished session is never opened again, so nothing would write it
    _set_status(desk.run, status)
    return found


def _import_heavy(*, learning: bool) -> None:
    """Import what a session needs, so that it is charged to start-up and not to the first step that uses it."""
    from importlib import import_module

    learn = ("torch", "transformers", "datasets", "trl") if learning else ()
    for name in (*learn, "langgraph.graph", "langgraph.checkpoint.sqlite.aio"):
        import_module(name)


def _set_status(run: Path, status: str) -> None:
    files.write_json(
        run / "session.json", {**stored_session(run), "status": status, "pid": os.getpid(), "seen": time.time()}
    )


@contextmanager
def _stdout_is_ours() -> Generator[None]:
    """Send what libraries print to standard error."""
    import sys

    with redirect_stdout(sys.stderr):
        yield


def _emit(json_lines: bool, value: Mapping[str, Any]) -> None:
    import sys

    if json_lines:
        assert sys.__stdout__ is not None
        print(json.dumps(value, ensure_ascii=False), file=sys.__stdout__, flush=True)


class _Lines:
    """Writes a JSON line per round, and shows progress as well."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._round: Json = {}

    def on(self, event: str, facts: Mapping[str, Any]) -> None:
        self.progress.on(event, facts)
        if event in ("curate", "train", "examine", "decide"):
            self._round |= {k: v for k, v in facts.items() if k != "round"}
        if event == "decide":
            _emit(True, {"event": "round", "n": facts["round"], **self._round})
            self._round = {}
