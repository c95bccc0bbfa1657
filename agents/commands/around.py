"""Commands before and after a session: doctor; export and push."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ...memory.errors import UsageError
from .options import RUNS, AllowImport, Json, RunPath, RunsDir, Set, find

if TYPE_CHECKING:
    from ...memory.reading import Run

app = typer.Typer(add_completion=False)

Form = Literal["trl", "sharegpt", "alpaca", "parquet"]
Part = Literal["exams", "trace", "tables"]
Record = Annotated[
    Part | None,
    typer.Option(
        help="Write the record: exams as Inspect .eval logs, the agents' trace as JSONL for the Hub's viewer, "
        "or samples, attempts, rounds and spans as Parquet."
    ),
]
Merge = Annotated[bool, typer.Option("--merge", help="Merge an adapter into its base.")]
Base = Annotated[str, typer.Option(help="What the base of an adapter is called where it will be used.")]

Tainted = Annotated[bool, typer.Option("--tainted", help="Also a student that learned from what was withdrawn.")]


@app.command()
def doctor(
    scenario: Annotated[Path | None, typer.Argument(help="Scenario file; its models are looked at, too.")] = None,
    runs_dir: RunsDir = RUNS,
    set_: Set = None,
    json_: Json = False,
    allow_import: AllowImport = False,
) -> None:
    """See whether a session would work on this machine, and say what to do where it would not."""
    from . import doctor as checks

    failed = False
    for finding in checks.look(runs_dir, scenario, set_ or [], allow_import=allow_import):
        failed = failed or finding.level == "fail"
        typer.echo(_json(finding._asdict()) if json_ else finding.line())
    raise typer.Exit(1 if failed else 0)


@app.command()
def export(
    run: RunPath,
    out: Annotated[Path, typer.Option(help="Folder to write; for data also a file.jsonl or file.parquet.")],
    format: Annotated[Form | None, typer.Option(help="Write the kept samples in this format.")] = None,
    rejected: Annotated[bool, typer.Option("--rejected", help="Write the rejected samples instead.")] = False,
    model: Annotated[str | None, typer.Option(help="Write a student: final, base or the number of a round.")] = None,
    merge: Merge = False,
    base: Base = "",
    record: Record = None,
    ask: Annotated[
        bool, typer.Option("--ask/--no-ask", help="For exams: have the students answer again, to show what they said.")
    ] = True,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export.")] = False,
    tainted: Tainted = False,
    runs_dir: RunsDir = RUNS,
    json_: Json = False,
) -> None:
    """Write a run's samples, a student or the record, with a card that says what they are and where they come from."""
    from ..exports import exporting

    if sum(chosen is not None for chosen in (format, model, record)) != 1:
        raise UsageError(
            "say what to export: samples with --format, a student with --model, or the record with --record"
        )
    if not ask and record != "exams":
        raise UsageError("--no-ask goes with --record exams")
    if (rejected and format is None) or ((merge or base or tainted) and model is None):
        raise UsageError("--rejected goes with --format; --merge, --base and --tainted go with --model")
    with _open(run, runs_dir) as opened:
        if record is not None:
            from ..exports.record import export_record

            made = export_record(opened, record, out, ask=ask, force=force)
            typer.echo(_json(made) if json_ else f"{out}: {record} of {opened.name}, {_counted(made)}")
            return
        if format is not None:
            made = exporting.export_data(opened, format, out, rejected=rejected, force=force)
            said = f"{made['samples']:,} {'rejected ' * rejected}samples as {format}"
        else:
            made = exporting.export_model(
                opened, model or "", out, merge=merge, base=base, force=force, tainted=tainted
            )
            said = f"student {made['student']} as {made['form']}"
    typer.echo(_json(made) if json_ else f"{out}: {said}, with a card")


@app.command()
def push(
    run: RunPath,
    repo: Annotated[str, typer.Argument(metavar="REPO_ID", help="Where to, as OWNER/NAME.")],
    model: Annotated[str, typer.Option(help="Which student: final, base or the number of a round.")] = "final",
    merge: Merge = False,
    base: Base = "",
    data: Annotated[bool, typer.Option("--data", help="Upload the kept samples as a data set of this name, too.")] = (
        False
    ),
    format: Annotated[Form, typer.Option(help="Format of the samples.")] = "trl",
    public: Annotated[bool, typer.Option("--public", help="Let everybody see it; private otherwise.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    tainted: Tainted = False,
    runs_dir: RunsDir = RUNS,
    json_: Json = False,
) -> None:
    """Upload a student with its card to the Hugging Face Hub, under the login of its own client."""
    from ..exports import hub

    with _open(run, runs_dir) as opened:
        done = hub.push(
            opened,
            repo,
            which=model,
            merge=merge,
            base=base,
            data=data,
            format=format,
            public=public,
            dry_run=dry_run,
            tainted=tainted,
        )
    if json_:
        typer.echo(_json(done))
        return
    for parcel in done["parcels"]:
        seen = "public" if public else "private"
        typer.echo(f"{parcel['kind']} {repo} ({seen}): {parcel['url'] or 'would hold'}")
        for entry in parcel["files"]:
            typer.echo(f"  {entry['bytes']:>13,} bytes  {entry['file']}")


def _counted(made: dict[str, Any]) -> str:
    counts = {name: made[name] for name in ("files", "messages", "items", "answered") if name in made}
    return ", ".join(f"{count:,} {name}" for name, count in {**counts, **made.get("rows", {})}.items())


def _open(run: Path, runs_dir: Path) -> "Run":
    from ...memory.reading import Run

    return Run.load(find(run, runs_dir))


def _json(facts: Any) -> str:
    return json.dumps(facts, ensure_ascii=True)
