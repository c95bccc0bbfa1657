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
from pathlib import Path  # noqa: E402
from typing import Annotated, Any  # noqa: E402

import typer  # noqa: E402

from ..memory.errors import EvolventError  # noqa: E402
from ..memory.stopping import STOP, Stopped  # noqa: E402
from . import inspecting  # noqa: E402

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
runs_app = typer.Typer(no_args_is_help=True, help="Look at earlier runs.")
scenario_app = typer.Typer(no_args_is_help=True, help="Work with scenario files.")
app.add_typer(runs_app, name="runs")
app.add_typer(scenario_app, name="scenario")
app.add_typer(inspecting.app)

RunsDir = Annotated[Path, typer.Option("--runs-dir", envvar="EVOLVENT_RUNS_DIR", help="Folder that holds runs.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a setting, e.g. rounds.most=2.")
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON lines to standard output.")]
AllowImport = Annotated[
    bool, typer.Option("--allow-import", help="Load parts from modules of your own; runs their code.")
]
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, or its name inside the runs folder.")]

RUNS = Path("runs")
LAST_SEED = 2**32 - 1
"""Largest seed that NumPy takes."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a disk that takes no more."""
CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)
"""Errors of a place that must not be written to."""


@app.callback()
def evolvent() -> None:
    """Grow the data that grows the model: find what a student cannot do, teach exactly that, keep what is better."""


@app.command()
def run(
    scenario: Annotated[Path, typer.Argument(help="Scenario file, TOML.")],
    runs_dir: RunsDir = RUNS,
    set_: Set = None,
    seed: Annotated[int, typer.Option(min=0, max=LAST_SEED, help="Fixes everything random.")] = 0,
    limit: Annotated[
        int | None, typer.Option(min=10, help="Cap items and samples per stage; stamps the result LIMITED.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything and estimate; train and ask nothing.")
    ] = False,
    json_: Json = False,
    allow_import: AllowImport = False,
) -> None:
    """Run one autonomous evolution session."""
    from . import ground, session

    plan = session.plan(scenario, set_ or [], seed=seed, limit=limit, allow_import=allow_import)
    ground.check(runs_dir, plan.estimate.bytes)
    if dry_run:
        _print(plan.facts() if json_ else "\n".join(plan.lines()))
        return
    typer.echo("\n".join(plan.lines()), err=True)
    _finish(session.start(plan, runs_dir, since=STARTED, json_lines=json_), json_=json_)


@app.command()
def resume(
    run: RunPath,
    runs_dir: RunsDir = RUNS,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the budget, e.g. budget.usd=5.")
    ] = None,
    json_: Json = False,
    allow_import: AllowImport = False,
) -> None:
    """Go on with an interrupted session, exactly where it stopped."""
    from . import session

    found = session.resume(
        _find(run, runs_dir), since=STARTED, json_lines=json_, allow_import=allow_import, overrides=set_ or []
    )
    _finish(found, json_=json_)


@app.command()
def report(run: RunPath, runs_dir: RunsDir = RUNS, json_: Json = False) -> None:
    """Write a run's report again, and print its figures."""
    from . import session

    _finish(session.report(_find(run, runs_dir)), json_=json_)


@runs_app.command("list")
def runs_list(runs_dir: RunsDir = RUNS, json_: Json = False) -> None:
    """List runs, newest first."""
    from . import session

    found = session.listed(runs_dir)
    if json_:
        for entry in found:
            _print(entry)
        return
    for entry in found:
        change = f"{entry['before']:.1%} -> {entry['after']:.1%}" if entry.get("after") is not None else ""
        limited = "  LIMITED" if entry.get("limited") else ""
        _print(f"{entry['run']:44} {entry['status']:12} seed {entry['seed']}  {change}{limited}")
    if not found:
        _print(f"no runs in {runs_dir}; begin one with `evolvent run scenarios/arithmetic.toml`")


@runs_app.command("show")
def runs_show(run: RunPath, runs_dir: RunsDir = RUNS, json_: Json = False) -> None:
    """Show what one run came to."""
    from . import session

    _finish(session.result(_find(run, runs_dir)), json_=json_)


@scenario_app.command("validate")
def scenario_validate(scenario: Path, set_: Set = None, json_: Json = False, allow_import: AllowImport = False) -> None:
    """Check a scenario: its parts, whether its tasks suffice, and what its exams can see."""
    from . import session

    plan = session.plan(scenario, set_ or [], seed=0, limit=None, allow_import=allow_import)
    _print(plan.facts() if json_ else "\n".join(plan.lines()))


def _find(run: Path, runs_dir: Path) -> Path:
    """Folder of a run by its path or name; `.` has no name before it is resolved."""
    found = run if run.is_dir() else runs_dir / run
    return found if found.name not in ("", "..") else found.resolve()


def _finish(result: dict[str, Any], *, json_: bool) -> None:
    from .closing import closing

    _print({"event": "done", **result} if json_ else closing(result))


def _print(what: dict[str, Any] | str) -> None:
    text = what if isinstance(what, str) else json.dumps(what, ensure_ascii=False)
    typer.echo(text)


def main() -> None:
    """Run the program; errors are one line and an exit code."""
    signal.signal(signal.SIGTERM, STOP)
    signal.signal(signal.SIGINT, STOP)
    try:
        app(standalone_mode=False)
    except typer.Exit as end:
        sys.exit(end.exit_code)
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
