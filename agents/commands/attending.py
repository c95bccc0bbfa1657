"""Commands around a session: pause one that runs, and try what one made."""

import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from . import options
from .options import RUNS, find

app = typer.Typer(add_completion=False)


@app.command()
def pause(
    run: options.RunPath,
    runs_dir: options.RunsDir = RUNS,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for it.")] = 600,
    json_: options.Json = False,
) -> None:
    """Ask a running session to stop at its next step, and wait for it."""
    from ..reports import results
    from . import pausing

    folder = find(run, runs_dir)
    paused = pausing.pause(folder, patience=wait)
    status = results.status(folder)
    if json_:
        _json({"event": "pause", "run": folder.name, "status": status, "paused": paused})
        return
    typer.echo(f"{folder.name}: {status}" if paused else f"{folder.name}: not running, {status}")
    if status != "finished":
        typer.echo(f"next     evolvent resume {folder}")


@app.command("try")
def try_(
    run: options.RunPath,
    runs_dir: options.RunsDir = RUNS,
    prompt: Annotated[list[str] | None, typer.Option(help="Ask this and end; may be given again.")] = None,
    longest: Annotated[int, typer.Option(min=1, help="Tokens of an answer at most.")] = 64,
    serve: Annotated[bool, typer.Option("--serve", help="Serve the promoted student with vLLM instead.")] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of this machine to serve at.")] = 8000,
    json_: options.Json = False,
) -> None:
    """Ask the first student and the promoted one, side by side; each line of standard input is a question."""
    from ..reports import results
    from . import trying

    found = results.students(find(run, runs_dir))
    if found[-1].tainted:
        _say("the promoted student is tainted: it learned from samples that were withdrawn")
    if serve:
        trying.serve(found[-1], port=port, say=_say)
    if len(found) == 1:
        _say("nothing was promoted, so there is one student")
    with trying.opened(found) as engines:
        for question in prompt or _questions():
            said = trying.ask(engines, question, longest=longest)
            if json_:
                answers = {s.label: {"student": s.digest, "answer": a.text, "complete": a.complete} for s, a in said}
                _json({"prompt": question, **answers})
            else:
                typer.echo("\n".join(trying.lines(said)))


def _questions() -> Iterator[str]:
    """Lines of standard input; on a terminal each is asked for."""
    terminal = sys.stdin.isatty()
    while True:
        if terminal:
            typer.echo("> ", err=True, nl=False)
        line = sys.stdin.readline()
        if not line:
            return
        if question := line.rstrip("\r\n"):
            yield question


def _json(facts: dict[str, Any]) -> None:
    # ASCII alone: what a model wrote must not reach the terminal as a control character
    typer.echo(json.dumps(facts, ensure_ascii=True))


def _say(text: str) -> None:
    typer.echo(text, err=True)
