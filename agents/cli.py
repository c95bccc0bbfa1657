"""The command line: standard output is the result, standard error is progress.

Exit codes: 0 finished, 1 failed, 2 usage or scenario error, 4 model not available, 5 budget spent and resumable,
130/143 interrupted and resumable.
"""

import time

STARTED = time.perf_counter()
"""When this program began, so that its start-up can be charged."""

import errno  # noqa: E402
import json  # noqa: E402
import signal  # noqa: E402
import sqlite3  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import TYPE_CHECKING, Annotated, Any  # noqa: E402

import typer  # noqa: E402

from ..memory.errors import EvolventError  # noqa: E402
from ..memory.stopping import STOP, Stopped  # noqa: E402
from .commands import (  # noqa: E402
    around,
    attending,
    augmenting,
    authoring,
    benching,
    curating,
    inspecting,
    options,
    reviewing,
    viewing,
    withdrawing,
)  # fmt: skip
from .commands.options import RUNS, find  # noqa: E402

if TYPE_CHECKING:
    from .planning import Plan

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
runs_app = typer.Typer(no_args_is_help=True, help="Look at earlier runs.")
app.add_typer(runs_app, name="runs")
app.add_typer(authoring.app, name="scenario")
app.add_typer(attending.app)
app.add_typer(curating.app)
app.add_typer(augmenting.app)
app.add_typer(inspecting.app)
app.add_typer(reviewing.app)
app.add_typer(viewing.app)
app.add_typer(around.app)
app.add_typer(withdrawing.app)
app.add_typer(benching.app)

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a disk that takes no more."""
CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)
"""Errors of a place that must not be written to."""


@app.callback()
def evolvent() -> None:
    """Grow the data that grows the model: find what a student cannot do, teach exactly that, keep what is better."""


@app.command()
def run(
    scenario: options.ScenarioPath,
    runs_dir: options.RunsDir = RUNS,
    set_: options.Set = None,
    seed: options.Seed = 0,
    limit: options.Limit = None,
    dry_run: options.DryRun = False,
    json_: options.Json = False,
    allow_import: options.AllowImport = False,
    on_end: options.OnEnd = None,
    from_: Annotated[
        Path | None,
        typer.Option("--from", metavar="RUN", help="Go on from a finished run: its student, data and memory."),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, help="Sessions, from --seed on; several say how many samples targeting needs.")
    ] = 1,
) -> None:
    """Run one autonomous evolution session."""
    before = find(from_, runs_dir) if from_ else None
    from . import planning

    def planned(seed: int) -> "Plan":
        return planning.plan(scenario, set_ or [], seed=seed, limit=limit, allow_import=allow_import, before=before)

    def begin(plan: "Plan", since: float = STARTED, made: Callable[[Path], object] = str) -> dict[str, Any] | None:
        return _begin(plan, runs_dir, dry_run=dry_run, json_=json_, on_end=on_end, since=since, made=made)

    plans = [planned(seed)]
    if seeds == 1:
        begin(plans[0])
        return
    from .commands import seeding

    seeding.check(scenario, plans[0].scenario)
    plans += [planned(one) for one in range(seed + 1, seed + seeds)]
    if dry_run:
        for plan in plans:
            begin(plan)
        return
    told = seeding.Told(json_, _print)
    raise typer.Exit(seeding.compare(plans, begin, told, since=STARTED, allow_import=allow_import))


@app.command()
def probe(
    scenario: options.ScenarioPath,
    runs_dir: options.RunsDir = RUNS,
    set_: options.Set = None,
    seed: options.Seed = 0,
    limit: options.Limit = None,
    dry_run: options.DryRun = False,
    json_: options.Json = False,
    allow_import: options.AllowImport = False,
    on_end: options.OnEnd = None,
) -> None:
    """Say what a student cannot do, and teach it nothing: the cautious first step."""
    from . import planning

    plan = planning.plan(scenario, set_ or [], seed=seed, limit=limit, allow_import=allow_import, probe=True)
    _begin(plan, runs_dir, dry_run=dry_run, json_=json_, on_end=on_end)


@app.command()
def resume(
    run: options.RunPath,
    runs_dir: options.RunsDir = RUNS,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the budget, e.g. budget.usd=5.")
    ] = None,
    json_: options.Json = False,
    allow_import: options.AllowImport = False,
    on_end: options.OnEnd = None,
) -> None:
    """Go on with an interrupted session, exactly where it stopped."""
    from . import session
    from .hook import Hook

    hook = Hook.parse(on_end)
    found = session.resume(
        find(run, runs_dir), since=STARTED, json_lines=json_, allow_import=allow_import, overrides=set_ or [], hook=hook
    )
    _finish(found, json_=json_)


@app.command()
def report(run: options.RunPath, runs_dir: options.RunsDir = RUNS, json_: options.Json = False) -> None:
    """Write a run's report again, and print its figures."""
    from .reports import results

    _finish(results.report(find(run, runs_dir)), json_=json_)


@runs_app.command("list")
def runs_list(runs_dir: options.RunsDir = RUNS, json_: options.Json = False) -> None:
    """List runs, newest first."""
    from .reports import results

    found = results.listed(runs_dir)
    if json_:
        for entry in found:
            _print(entry)
        return
    for entry in found:
        change = f"{entry['before']:.1%} -> {entry['after']:.1%}" if entry.get("after") is not None else ""
        change = "probed only" if entry.get("probe") else change
        limited = "  LIMITED" if entry.get("limited") else ""
        _print(f"{entry['run']:44} {entry['status']:12} seed {entry['seed']}  {change}{limited}")
    if not found:
        _print(f"no runs in {runs_dir}; begin one with `evolvent run scenarios/arithmetic.toml`")


@runs_app.command("show")
def runs_show(run: options.RunPath, runs_dir: options.RunsDir = RUNS, json_: options.Json = False) -> None:
    """Show what one run came to."""
    from .reports import results

    _finish(results.result(find(run, runs_dir)), json_=json_)


@runs_app.command("rm")
def runs_rm(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs, or their names.")],
    runs_dir: options.RunsDir = RUNS,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also what another run still refers to.")] = False,
    json_: options.Json = False,
) -> None:
    """Remove runs for good, with the servers that killed ones left behind."""
    from .commands import removing

    with removing.held(runs, runs_dir, force=force) as held:
        for about in held:
            typer.echo(about.line(), err=True)
        if not yes:
            removing.ask(len(held))
        for about in held:
            removing.remove(about.path)
            _print({"event": "removed", **about.facts()} if json_ else f"removed {about.path}: {about.freed()}")


def _begin(
    plan: "Plan", runs_dir: Path, *, dry_run: bool, json_: bool, on_end: str | None, since: float = STARTED,
    made: Callable[[Path], object] = str,
) -> dict[str, Any] | None:  # fmt: skip
    """Start a session and give its result, or say only what it would be."""
    from . import ground, session
    from .hook import Hook

    hook = Hook.parse(on_end)
    ground.check(runs_dir, plan.estimate.bytes)
    if dry_run:
        _print(plan.facts() if json_ else "\n".join(plan.lines()))
        return None
    typer.echo("\n".join(plan.lines()), err=True)
    result = session.start(plan, runs_dir, since=since, json_lines=json_, hook=hook, made=made)
    _finish(result, json_=json_)
    return result


def _finish(result: dict[str, Any], *, json_: bool) -> None:
    from .reports.closing import closing

    _print({"event": "done", **result} if json_ else closing(result))


def _print(what: dict[str, Any] | str) -> None:
    text = what if isinstance(what, str) else json.dumps(what, ensure_ascii=False)
    typer.echo(text)


def main() -> None:
    """Run the program; errors are one line and an exit code."""
    signal.signal(signal.SIGTERM, STOP)
    signal.signal(signal.SIGINT, STOP)
    try:
        # the code of a command that ended with `typer.Exit`; nothing of any other
        code = app(standalone_mode=False)
        if code:
            sys.exit(code)
    except Stopped as stopped:
        sys.exit(stopped.code)
    except EvolventError as error:
        _explain(str(error))
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:
        if error.errno not in FULL + CLOSED:
            raise
        remedy = "make room" if error.errno in FULL else "make it writable"
        _explain(f"{error.filename or 'output'}: {error.strerror}; {remedy}, then `evolvent resume` goes on")
        sys.exit(1)
    except sqlite3.OperationalError as error:
        _explain(f"a database of the run cannot be written: {error}; mend that, then `evolvent resume` goes on")
        sys.exit(1)
    except Exception as error:
        if STOP.code:
            # a library that was called back made an error of its own of the stop
            sys.exit(STOP.code)
        if type(error).__module__.startswith(("click", "typer")) and hasattr(error, "exit_code"):
            said = str(error.format_message())  # type: ignore[attr-defined]
            if said.startswith("Usage:"):
                typer.echo(said, err=True)
            else:
                _explain(f"{said[:1].lower()}{said[1:].rstrip('.')}; try `evolvent --help`")
            sys.exit(2)
        raise


def _explain(message: str) -> None:
    """Say what is wrong in one line, whatever a file name holds."""
    typer.echo(f"evolvent: {' '.join(message.splitlines())}", err=True)
