"""The laboratory's command: experiments that come with a checkout of the project and not with its installed package."""

import importlib
from importlib.util import find_spec
from typing import Annotated

import typer

from ...memory.errors import UsageError

# by name, since the laboratory is no room of the house and the command line must not depend on it
PACKAGE = f"{__name__.split('.')[0]}.benchmarks"

app = typer.Typer(add_completion=False)


@app.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Experiments; else all.")] = None,
    seeds: Annotated[int | None, typer.Option(min=2, help="Seeds of each; an experiment's own number else.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="Say only what there is.")] = False,
    page: Annotated[bool, typer.Option("--page", help="Write the page of what was found, and run nothing.")] = False,
) -> None:
    """Compare methods on small students, on paired seeds; what is measured already is not run again."""
    if find_spec(PACKAGE) is None:
        raise UsageError("the experiments are no part of the installed package; run `evolvent bench` in a checkout")
    given = [*(names or []), *(["--seeds", str(seeds)] if seeds else []), *(["--list"] if list_ else [])]
    given += ["--page"] if page else []
    code: int = importlib.import_module(f"{PACKAGE}.lab.__main__").main(given)
    raise typer.Exit(code)
