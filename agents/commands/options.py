"""Options and arguments that several commands take."""

import getpass
from pathlib import Path
from typing import Annotated

import typer

from ..hook import VARIABLE

RUNS = Path("runs")
LAST_SEED = 2**32 - 1
"""Largest seed that NumPy takes."""

RunsDir = Annotated[Path, typer.Option("--runs-dir", envvar="EVOLVENT_RUNS_DIR", help="Folder that holds runs.")]
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, or its name inside the runs folder.")]
ScenarioPath = Annotated[Path, typer.Argument(help="Scenario file, TOML.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON lines to standard output.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a setting, e.g. rounds.most=2.")
]
Seed = Annotated[int, typer.Option(min=0, max=LAST_SEED, help="Fixes everything random.")]
Limit = Annotated[int | None, typer.Option(min=10, help="Cap items and samples per stage; stamps the result LIMITED.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything and estimate; train and ask nothing.")]
AllowImport = Annotated[
    bool, typer.Option("--allow-import", help="Load parts from modules of your own; runs their code.")
]
OnEnd = Annotated[
    str | None,
    typer.Option("--on-end", metavar="COMMAND", envvar=VARIABLE, help="Program run once it ended; sees EVOLVENT_RUN."),
]


def known_name() -> str:
    """What this machine calls whoever started the program."""
    try:
        return getpass.getuser()[:100]
    except (OSError, KeyError):
        return "a person"


def find(run: Path, runs_dir: Path) -> Path:
    """The folder a person means by a path or by the name of a run; `.` has no name before it is resolved."""
    found = run if run.is_dir() else runs_dir / run
    return found if found.name not in ("", "..") else found.resolve()
