"""The viewer's commands: runs as pages, served on this machine or written into a folder."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from .options import RUNS, Json, RunPath, RunsDir, find, known_name

DRAWN = 8
"""Lists of exam items the viewer keeps at hand; drawing one again may take a second."""


class View(TyperGroup):
    """Takes `view [RUN]...` for `view serve [RUN]...`, since that is what people mean."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override] # typer's own click
        """Put the command in where none is named."""
        named = args[:1] and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named else ["serve", *args])


app = typer.Typer(add_completion=False)
view_app = typer.Typer(
    cls=View,
    help="Look at runs in a browser. `evolvent view [RUN]...` is short for `evolvent view serve [RUN]...`.",
)
app.add_typer(view_app, name="view")


@view_app.command()
def serve(
    runs: Annotated[list[Path] | None, typer.Argument(metavar="[RUN]...", help="Only these; else the folder.")] = None,
    runs_dir: RunsDir = RUNS,
    host: Annotated[str, typer.Option(help="Where to listen; anything but this machine itself needs a token.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 7411,
    token: Annotated[
        str | None, typer.Option(envvar="EVOLVENT_VIEW_TOKEN", help="Secret that every visitor must bring.")
    ] = None,
    review: Annotated[
        bool, typer.Option("--review", help="Take decisions on samples that wait for a review; makes up a token.")
    ] = False,
    by: Annotated[str | None, typer.Option(help="Who decides; without it the name this machine knows you by.")] = None,
) -> None:
    """Serve pages that follow the runs that are going on; without --review it writes nothing."""
    from ...memory.viewer import server
    from .items import tasks

    shown = [find(run, runs_dir) for run in runs] if runs else runs_dir
    who = (by or known_name()) if review else None
    drawn = lru_cache(maxsize=DRAWN)(tasks)
    server.serve(shown, host=host, port=port, token=token, say=_line, tasks=drawn, by=who)


@view_app.command()
def bundle(
    run: RunPath,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Folder to write; an older bundle goes.")],
    runs_dir: RunsDir = RUNS,
    most: Annotated[int, typer.Option(min=1, help="Pages of one kind at most, e.g. of samples.")] = 500,
    json_: Json = False,
) -> None:
    """Write a run as files that open from disk or any web host, without a server."""
    import json

    from ...memory.reading import Run
    from ...memory.viewer.bundle import bundle as write
    from .items import tasks

    with Run.load(find(run, runs_dir)) as opened:
        made = write(opened, out, most=most, tasks=lru_cache(maxsize=DRAWN)(tasks))
    if json_:
        typer.echo(json.dumps({**made._asdict(), "folder": str(made.folder)}))
        return
    typer.echo(f"wrote    {made.pages:,} pages, {made.size / 1e6:.1f} MB")
    for name, count in made.left_out.items():
        typer.echo(f"left out {count:,} {name} that pages lead to; --most {2 * most} would take more in")
    typer.echo(f"open     {made.folder / 'index.html'}")


def _line(text: str) -> None:
    typer.echo(text, err=True)
