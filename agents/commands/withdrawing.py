"""The command that withdraws a sample, a teacher or a judge."""

import json
import time
from typing import Annotated, Any

import typer

from ...memory.display import line
from ...memory.errors import UsageError
from ...memory.retraction import What
from ...memory.viewer.markup import several
from .options import RUNS, AllowImport, Json, RunPath, RunsDir, find

app = typer.Typer(add_completion=False)


@app.command()
def retract(
    run: RunPath,
    sample: Annotated[str | None, typer.Option(metavar="ID", help="Withdraw this sample and what was made of it.")] = (
        None
    ),
    teacher: Annotated[str | None, typer.Option(metavar="NAME", help="Withdraw all that this teacher wrote.")] = None,
    judge: Annotated[
        str | None, typer.Option(metavar="NAME", help="Withdraw what nobody but this judge accepted.")
    ] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; it is kept with the record.")] = "",
    retrain: Annotated[
        bool, typer.Option("--retrain", help="Train the clean student at once, as `evolvent resume` would.")
    ] = False,
    runs_dir: RunsDir = RUNS,
    json_: Json = False,
    allow_import: AllowImport = False,
) -> None:
    """Withdraw a bad sample, teacher or judge with everything that came of it; students that learned it are tainted."""
    from .. import retracting, session
    from ..reports import results
    from ..reports.closing import closing

    given: list[tuple[What, str | None]] = [("sample", sample), ("teacher", teacher), ("judge", judge)]
    named: list[tuple[What, str]] = [(what, name) for what, name in given if name]
    if len(named) != 1:
        raise UsageError("say what to withdraw: one of --sample, --teacher and --judge")
    folder, started = find(run, runs_dir), time.perf_counter()
    what, name = named[0]
    done = retracting.withdraw(folder, what, name, reason=reason)
    if (folder / "report.json").is_file():
        # what was written before would go on showing the student without its taint
        results.report(folder)
    if json_:
        _json({"event": "retract", "run": folder.name, **done})
    else:
        typer.echo("\n".join(_lines(done, str(folder))))
    if retrain and done["due"]:
        found = session.resume(folder, since=started, json_lines=json_, allow_import=allow_import)
        typer.echo(json.dumps({"event": "done", **found}) if json_ else closing(found))


def _lines(done: dict[str, Any], run: str) -> list[str]:
    tainted = ", ".join(done["tainted"]) or "none"
    lines = [
        f"withdrawn: {done['what']} {line(done['name'])}, {several(done['samples'], 'sample')}",
        f"tainted    {tainted}",
    ]
    return [*lines, f"next       evolvent resume {run} trains the student without them"] if done["due"] else lines


def _json(facts: dict[str, Any]) -> None:
    # ASCII alone: what a model wrote must not reach the terminal as a control character
    typer.echo(json.dumps(facts, ensure_ascii=True))
