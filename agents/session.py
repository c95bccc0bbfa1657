"""Sessions from outside: plan one, start it, go on with it."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ..memory import conventions, crash, files
from ..memory.errors import BudgetError, RunError
from ..memory.stopping import STOP, Stopped
from ..memory.trace import spent
from . import graph, standing
from .desk import Desk
from .discovering import settle
from .folder import begun
from .hook import Hook
from .keeping import tidy
from .planning import Plan
from .quiet import quiet
from .reports.bill import bill
from .reports.lines import Launch, Lines, emit, stdout_is_ours
from .reports.progress import Progress
from .reports.results import result, status, stored_session, writable, write_report
from .reports.summary import summarize
from .reports.watcher import Watcher
from .retracting import waits
from .retraining import retrain

Json = dict[str, Any]

NOTHING = Hook()


def start(
    plan: Plan, runs: Path, *, since: float, json_lines: bool, hook: Hook = NOTHING,
    made: Callable[[Path], object] = str,
) -> Json:  # fmt: skip
    """Run a new session to its end; `made` is told of its folder as soon as there is one.

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
            earlier=plan.earlier.pack if plan.earlier else None, made=begin,
        )  # fmt: skip

    def begin(run: Path) -> None:
        made(run)
        launch(run)

    launch = Launch(json_lines)
    return _run(open_desk, progress, launch, hook)


def resume(
    run: Path, *, since: float, json_lines: bool, allow_import: bool, overrides: Sequence[str] = (),
    hook: Hook = NOTHING,
) -> Json:  # fmt: skip
    """Go on with a session, with another budget where the overrides say so.

    A finished one only gives its result, unless its student is tainted and no clean one was tried yet.
    """
    if status(run) == "finished" and not waits(run):
        if overrides:
            raise RunError(f"{run}: is finished and takes no --set; begin another session with `evolvent run`")
        return result(run)
    writable(run)
    begun_with = begun(run)[1]
    graph.check(run, begun_with)
    progress = Progress(0)

    def open_desk(watcher: Watcher) -> Desk:
        if standing.settle(run, begun_with):
            watcher.on("rewind", {})
        desk = Desk.reopen(run, watcher=watcher, since=since, allow_import=allow_import, overrides=overrides)
        progress.rounds = 1 if desk.session.only_probes else desk.scenario.rounds.most
        launch(run)
        return desk

    launch = Launch(json_lines, run)
    return _run(open_desk, progress, launch, hook)


def _run(open_desk: Callable[[Watcher], Desk], progress: Progress, launch: Launch, hook: Hook) -> Json:
    """Open a desk, run the graph, write the report, tell the hook; on standard output only JSON lines, if asked for."""
    quiet()
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
                if launch.run and launch.said and not isinstance(error, Stopped):
                    _give_up(launch.run, error, json_lines=launch.json_lines)
                    _after(hook, launch.run, progress)
                raise
            try:
                return _advance(desk)
            except Stopped as stopped:
                _set_status(desk.run, "interrupted")
                _way_on(progress, desk.run, stopped)
                raise
            except BudgetError:
                emit(launch.json_lines, {"event": "done", **_conclude(desk, "spent")})
                raise
            except BaseException as error:
                _way_on(progress, desk.run, error)
                _fail(desk, error, json_lines=launch.json_lines)
                raise
            finally:
                try:
                    desk.close()
                finally:
                    _after(hook, desk.run, progress)
    finally:
        progress.stop()


def _way_on(progress: Progress, run: Path, error: BaseException) -> None:
    """Say how a session goes on that ends before its end."""
    said = "interrupted; go on with" if isinstance(error, Stopped) else "stopped; after mending the cause"
    progress.console.print(f"{said}: evolvent resume {run}", markup=False, soft_wrap=True)


def _fail(desk: Desk, error: BaseException, *, json_lines: bool) -> None:
    """Write down that a session failed, and why, as far as its disk and its ledger allow."""
    try:
        found = _conclude(desk, "failed", reason=_reason(error))
    except Exception:  # whatever kept the session from going on may keep it from being summed up
        _give_up(desk.run, error, json_lines=json_lines)
    else:
        emit(json_lines, {"event": "done", **found})


def _give_up(run: Path, error: BaseException, *, json_lines: bool) -> None:
    """Write down that a session failed, and why, where nothing more can be said of it."""
    _set_status(run, "failed", reason=_reason(error))
    emit(json_lines, {"event": "done", "run": run.name, "dir": str(run), "status": "failed", "reason": _reason(error)})


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _after(hook: Hook, run: Path, progress: Progress) -> None:
    """Tell the user's own program that a session has ended."""
    if wrong := hook.after(run):
        progress.console.print(f"warning: {wrong}", markup=False, soft_wrap=True)


def _advance(desk: Desk) -> Json:
    _set_status(desk.run, "running")
    with spent("start-up"):
        _import_heavy(learning=desk.parts.engine.serves)
    settle(desk)
    status = asyncio.run(_work(desk))
    STOP.heed()
    return _conclude(desk, status)


async def _work(desk: Desk) -> str:
    """Go through the graph to its end, and then see whether the student has to be trained again without taint."""
    status = await graph.advance(desk)
    if status == "finished" and not desk.session.only_probes:
        with conventions.workflow(desk.scenario.name, run=desk.run.name):
            await retrain(desk)
            await tidy(desk, desk.scenario.rounds.most, ended=True)
    return status


def _conclude(desk: Desk, status: str, *, reason: str = "") -> Json:
    """Write down what the session has come to, and why it failed if it did."""
    for key, value in desk.effects.clock().items():
        desk.ledger.set_meta(key, value)
    found = summarize(
        desk.ledger, desk.scenario, desk.session, run=desk.run.name, directory=str(desk.run), status=status
    ) | {"models": bill(desk.run, desk.scenario), "reason": reason}
    crash.point("report.before_write")
    write_report(desk.run, found)
    # after the report: a finished session is never opened again, so nothing would write it
    _set_status(desk.run, status, reason=reason)
    return found


def _import_heavy(*, learning: bool) -> None:
    """Import what a session needs, so that it is charged to start-up and not to the first step that uses it."""
    from importlib import import_module

    learn = ("torch", "transformers", "datasets", "trl") if learning else ()
    for name in (*learn, "langgraph.graph", "langgraph.checkpoint.sqlite.aio"):
        import_module(name)


def _set_status(run: Path, status: str, *, reason: str = "") -> None:
    now = {"status": status, "pid": os.getpid(), "seen": time.time(), "reason": reason}
    files.write_json(run / "session.json", {**stored_session(run), **now})
