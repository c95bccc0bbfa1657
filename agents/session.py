"""Sessions from outside: plan one, start it, go on with it, and read what it came to."""

import asyncio
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..memory import crash, files
from ..memory.errors import BudgetError, RunError, ScenarioError
from ..memory.ledger import Ledger
from ..memory.lock import alive
from ..memory.records import Session
from ..memory.stopping import STOP, Stopped
from ..memory.trace import spent
from ..scenarios import loader
from ..scenarios.fitting import fit
from ..scenarios.schema import Scenario
from ..scenarios.splits import Splits
from ..scenarios.validation import Validation, validate
from . import graph, standing
from .bill import bill
from .desk import Desk, Parts
from .estimate import Estimate, estimate
from .folder import begun
from .lines import Launch, Lines, emit, stdout_is_ours
from .mistakes import FEW, mistakes
from .progress import Progress
from .summary import summarize
from .teachable import unteachable
from .watcher import Watcher

Json = dict[str, Any]

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
    validation: Validation
    estimate: Estimate

    def lines(self) -> list[str]:
        """The plan as text."""
        return [f"scenario {self.scenario.name}: {self.path}", *self.validation.lines(), *self.estimate.lines()]

    def session(self) -> Session:
        """The session that the plan is for."""
        return Session(
            name=self.scenario.name,
            scenario=self.scenario.hash,
            seed=self.seed,
            limit=self.limit,
            graph=graph.fingerprint(),
            settings={
                "file": str(self.path),
                "overrides": list(self.overrides),
                "source": self.parts.source.fingerprint(),
            },
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
        }


def plan(path: Path, overrides: Sequence[str], *, seed: int, limit: int | None, allow_import: bool) -> Plan:
    """Read and check a scenario without running anything.

    Raises:
        ScenarioError: anything about it is wrong, or its tasks do not suffice.
    """
    written = loader.load(path, overrides)
    parts = Parts.resolve(written, str(path), allow_import=allow_import)
    scenario, shrunk = fit(Splits(written, parts.source, seed))
    validation = validate(Splits(scenario, parts.source, seed), shrunk=shrunk)
    lacking = validation.errors if limit is None else ()
    # where tasks lack, a few of each are looked at all the same, so that everything wrong is said at once
    wrong = mistakes(Splits(scenario, parts.source, seed), parts, limit=FEW if lacking else limit)
    # last, so that a skill which is short of tasks is not named for the same once more
    wrong += [said for said in unteachable(Splits(scenario, parts.source, seed), parts.trainer) if not lacking]
    if lacking or wrong:
        raise ScenarioError(f"{path}: {'; '.join([*lacking, *wrong])}")
    return Plan(
        path=path,
        toml=path.read_text(encoding="utf-8-sig"),
        scenario=scenario,
        parts=parts,
        seed=seed,
        limit=limit,
        overrides=tuple(overrides),
        validation=validation,
        estimate=estimate(scenario, parts, limit=limit),
    )


def start(plan: Plan, runs: Path, *, since: float, json_lines: bool) -> Json:
    """Run a new session to its end.

    Raises:
        UnavailableError: a model is not there; nothing was written.
        BudgetError: a budget is spent; the run goes on with a larger one.
    """
    plan.parts.greet()
    session = plan.session()
    stamp = datetime.now().astimezone().strftime("%Y-%m-%dT%H-%M-%S")
    progress = Progress(plan.scenario.rounds.most, expected=plan.estimate.seconds)

    def open_desk(watcher: Watcher) -> Desk:
        return Desk.create(
            runs, plan.scenario, plan.parts, session, toml=plan.toml, stamp=stamp, watcher=watcher, since=since,
            made=launch,
        )  # fmt: skip

    launch = Launch(json_lines)
    return _run(open_desk, progress, launch)


def resume(run: Path, *, since: float, json_lines: bool, allow_import: bool, overrides: Sequence[str] = ()) -> Json:
    """Go on with a session, with another budget where the overrides say so; a finished one only gives its result."""
    if _status(run) == "finished":
        if overrides:
            raise RunError(f"{run}: is finished and takes no --set; begin another session with `evolvent run`")
        return result(run)
    _writable(run)
    begun_with = begun(run)[1]
    graph.check(run, begun_with.graph)
    progress = Progress(0)

    def open_desk(watcher: Watcher) -> Desk:
        if standing.settle(run, begun_with):
            watcher.on("rewind", {})
        desk = Desk.reopen(run, watcher=watcher, since=since, allow_import=allow_import, overrides=overrides)
        progress.rounds = desk.scenario.rounds.most
        launch(run)
        return desk

    launch = Launch(json_lines, run)
    return _run(open_desk, progress, launch)


def result(run: Path) -> Json:
    """Read what a session came to, without writing anything."""
    scenario, session = begun(run)
    ledger = Ledger(run / "ledger.sqlite", read_only=True)
    try:
        standing.owned(ledger, session)
        found = summarize(ledger, scenario, session, run=run.name, directory=str(run), status=_status(run))
        return found | {"models": bill(run, scenario), "reason": str(_stored(run).get("reason") or "")}
    finally:
        ledger.close()


def report(run: Path) -> Json:
    """Write the report of a run again."""
    _writable(run)
    found = result(run)
    _write_report(run, found)
    return found


def listed(runs: Path) -> list[Json]:
    """Name, status and scores of every run, newest first."""
    found: list[Json] = []
    for run in sorted(filter(_listed, runs.glob("*")), reverse=True):
        entry: Json = {"run": run.name, "status": "damaged", "seed": "?"}
        try:
            stored = _stored(run)
            summary = json.loads((run / "report.json").read_text()) if (run / "report.json").exists() else {}
            select = summary.get("select") or {}
            entry |= {
                "status": _status(run),
                "seed": stored["session"]["seed"],
                "limited": stored["session"]["limit"],
                "before": select.get("before"),
                "after": select.get("after"),
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RunError):
            pass
        found.append(entry)
    return found


def _listed(folder: Path) -> bool:
    """Whether a folder is a run, or one that cannot be looked into and may be."""
    return folder.is_dir() and (not os.access(folder, os.X_OK) or (folder / "session.json").is_file())


def _writable(run: Path) -> None:
    """Refuse a run that cannot be written to before anything tries."""
    if run.is_dir() and not os.access(run, os.W_OK | os.X_OK):
        raise RunError(f"{run}: the folder cannot be written; make it writable, nothing was changed")


def _run(open_desk: Callable[[Watcher], Desk], progress: Progress, launch: Launch) -> Json:
    """Open a desk, run the graph, write the report; on standard output only JSON lines, if asked for."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    watcher: Watcher = Lines(progress) if launch.json_lines else progress
    progress.start()
    try:
        with stdout_is_ours():
            try:
                desk = open_desk(watcher)
            except BaseException as error:
                # what was only to be resumed is as it was, and whoever refuses it has said what to do
                if launch.run and (launch.said or isinstance(error, Stopped)):
                    _way_on(progress, launch.run, error)
                raise
            try:
                return _advance(desk)
            except Stopped as stopped:
                _set_status(desk.run, "interrupted")
                _way_on(progress, desk.run, stopped)
                raise
            except BudgetError:
                _conclude(desk, "spent")
                raise
            except BaseException as error:
                _way_on(progress, desk.run, error)
                _fail(desk, error, json_lines=launch.json_lines)
                raise
            finally:
                desk.close()
    finally:
        progress.stop()


def _way_on(progress: Progress, run: Path, error: BaseException) -> None:
    """Say how a session goes on that ends before its end."""
    said = "interrupted; go on with" if isinstance(error, Stopped) else "stopped; after mending the cause"
    progress.console.print(f"{said}: evolvent resume {run}", markup=False, soft_wrap=True)


def _fail(desk: Desk, error: BaseException, *, json_lines: bool) -> None:
    """Write down that a session failed, and why, as far as its disk and its ledger allow."""
    reason = " ".join(str(error).split()) or type(error).__name__
    try:
        found = _conclude(desk, "failed", reason=reason)
    except Exception:  # whatever kept the session from going on may keep it from being summed up
        _set_status(desk.run, "failed", reason=reason)
    else:
        emit(json_lines, {"event": "done", **found})


def _advance(desk: Desk) -> Json:
    _set_status(desk.run, "running")
    with spent("start-up"):
        _import_heavy()
    status = asyncio.run(graph.advance(desk))
    STOP.heed()
    return _conclude(desk, status)


def _conclude(desk: Desk, status: str, *, reason: str = "") -> Json:
    """Write down what the session has come to, and why it failed if it did."""
    for key, value in desk.effects.clock().items():
        desk.ledger.set_meta(key, value)
    found = summarize(
        desk.ledger, desk.scenario, desk.session, run=desk.run.name, directory=str(desk.run), status=status
    ) | {"models": bill(desk.run, desk.scenario), "reason": reason}
    crash.point("report.before_write")
    _write_report(desk.run, found)
    # after the report: a finished session is never opened again, so nothing would write it
    _set_status(desk.run, status, reason=reason)
    return found


def _import_heavy() -> None:
    """Import what every session needs, so that it is charged to start-up and not to the first step that uses it."""
    from importlib import import_module

    for name in ("torch", "transformers", "datasets", "trl", "langgraph.graph", "langgraph.checkpoint.sqlite.aio"):
        import_module(name)


def _write_report(run: Path, found: Json) -> None:
    from .report import render

    files.write_json(run / "report.json", found)
    files.write_text(run / "report.html", render(found))
    latest = run / "latest"
    rounds = sorted(p for p in (run / "rounds").glob("[0-9]*") if (p / files.COMPLETE).exists())
    if rounds:
        temporary = run / f".latest.{os.getpid()}"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(rounds[-1].relative_to(run))
        temporary.replace(latest)


def _stored(run: Path) -> Json:
    try:
        stored = json.loads((run / "session.json").read_text())
        Session.model_validate(stored["session"])
        return stored
    except FileNotFoundError:
        raise RunError(f"{run}: not a run of evolvent; `evolvent runs list` shows the ones there are") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(f"{run / 'session.json'}: cannot be read ({reason}); restore it from a copy") from None


def _status(run: Path) -> str:
    """Status as it was written; a run whose process is gone was interrupted, whatever it could still write."""
    stored = _stored(run)
    status = str(stored.get("status", "unknown"))
    pid = stored.get("pid")
    gone = status == "running" and not alive(pid if isinstance(pid, int) else -1)
    return "interrupted" if gone else status


def _set_status(run: Path, status: str, *, reason: str = "") -> None:
    now = {"status": status, "pid": os.getpid(), "seen": time.time(), "reason": reason}
    files.write_json(run / "session.json", {**_stored(run), **now})
