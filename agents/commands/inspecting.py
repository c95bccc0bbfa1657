"""Commands that look at what a run did: explain, blame, trace and memory. None of them writes to a run.

Text of models is printed with everything that cannot be seen made visible, so that no answer can move the cursor,
turn the reading direction or colour the terminal.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from .options import RUNS, AllowImport, Json, RunsDir, find

if TYPE_CHECKING:
    from ...memory.reading import Run

app = typer.Typer(add_completion=False)
trace_app = typer.Typer(no_args_is_help=True, help="Look at the steps of a run.")
memory_app = typer.Typer(no_args_is_help=True, help="Look into what a run remembers.")
app.add_typer(trace_app, name="trace")
app.add_typer(memory_app, name="memory")

Which = Annotated[
    Path | None, typer.Option("--run", metavar="RUN", help="Folder of a run, or its name; without it the newest.")
]
Most = Annotated[int, typer.Option("--most", min=1, help="Lines at most.")]
Kind = Literal["sample", "attempt", "weakness"]


@app.command()
def explain(
    id: Annotated[str, typer.Argument(metavar="SAMPLE", help="Id of a sample, or of an attempt or a weakness.")],
    run: Which = None,
    runs_dir: RunsDir = RUNS,
    json_: Json = False,
) -> None:
    """Follow a sample from the failures it answers to what the exam of its skill did."""
    from ...memory.lineage import lineage
    from ...memory.naming import inferred, known, named
    from ...memory.records import Attempt, Weakness
    from . import facts, failing
    from .telling import of_sample

    with _open(run, runs_dir) as opened:
        one = named(opened.ledger, id)
        if isinstance(one, Attempt):
            why = inferred(opened.ledger, one)
            _say([_json(failing.attempt_facts(one, why))] if json_ else failing.of_attempt(one, why, opened.name))
            return
        if isinstance(one, Weakness):
            all_known = known(opened.ledger, one)
            _say([_json(failing.weakness_facts(all_known))] if json_ else failing.of_weakness(all_known, opened.name))
            return
        found, origin = lineage(opened.ledger, one.id), str(opened.session.settings.get("from", {}).get("dir", ""))
        _say([_json(facts.of_lineage(found))] if json_ else of_sample(found, opened.name, origin=origin))


@app.command()
def blame(skill: str, run: Which = None, runs_dir: RunsDir = RUNS, json_: Json = False) -> None:
    """Say which rounds, and samples against which weaknesses, moved a skill up or down."""
    from ...memory import blame as blaming
    from .facts import of_move
    from .telling import of_skill

    with _open(run, runs_dir) as opened:
        moves = blaming.blame(opened.ledger, skill, opened.goal.targets + opened.goal.guards)
        _say(map(_json, map(of_move, moves)) if json_ else of_skill(skill, moves, opened.name))


@trace_app.command("list")
def trace_list(run: Which = None, runs_dir: RunsDir = RUNS, json_: Json = False) -> None:
    """Say which kinds of steps there are, how often, and how long they took."""
    from .telling import of_names

    with _open(run, runs_dir) as opened:
        names = opened.trace.names()
        if json_:
            keys = ("name", "spans", "seconds", "failed")
            _say(_json(dict(zip(keys, row, strict=True))) for row in names)
        else:
            _say(of_names(names, opened.name))


@trace_app.command("show")
def trace_show(
    span: Annotated[str | None, typer.Argument(help="Id of a step; without it the whole run.")] = None,
    run: Which = None,
    runs_dir: RunsDir = RUNS,
    depth: Annotated[int, typer.Option(min=0, help="Levels below it.")] = 2,
    most: Most = 200,
    json_: Json = False,
) -> None:
    """Show a step as a tree of its parts."""
    from .telling import of_tree

    with _open(run, runs_dir) as opened:
        tops = [opened.trace.get(span)] if span else opened.trace.roots()
        _say(
            (_json(asdict(s)) for s, _ in opened.trace.tree(tops, depth=depth, most=most))
            if json_
            else of_tree(opened.trace, tops, depth=depth, most=most)
        )


@trace_app.command("grep")
def trace_grep(text: str, run: Which = None, runs_dir: RunsDir = RUNS, most: Most = 50, json_: Json = False) -> None:
    """Find a text in names, states and attributes of steps, latest first."""
    from .telling import of_span

    with _open(run, runs_dir) as opened:
        found = 0
        for span in opened.trace.every(text, most=most):
            found += 1
            _say([_json(asdict(span))] if json_ else [of_span(span)])
        if not found and not json_:
            _say([f"nothing in the {opened.trace.count():,} steps of {opened.name} holds {text!a}"])


@trace_app.command("send")
def trace_send(run: Which = None, runs_dir: RunsDir = RUNS, json_: Json = False) -> None:
    """Send all steps, sent before or not, to the OpenTelemetry collector that OTEL_EXPORTER_OTLP_ENDPOINT names."""
    from ...memory import collector

    with _open(run, runs_dir) as opened:
        count, where = collector.send(opened.trace, os.environ), collector.address(os.environ)
        facts = {"event": "send", "run": opened.name, "trace": opened.trace.identity(), "spans": count}
        _say([_json(facts) if json_ else f"{count:,} steps sent to {where} as trace {opened.trace.identity()}"])


@memory_app.command("search")
def memory_search(
    text: str,
    run: Which = None,
    runs_dir: RunsDir = RUNS,
    most: Annotated[int, typer.Option("-n", "--most", min=1, help="Results at most.")] = 10,
    kind: Annotated[Kind | None, typer.Option(help="Only samples, failed attempts or weaknesses.")] = None,
    json_: Json = False,
    allow_import: AllowImport = False,
) -> None:
    """Find failures, samples and weaknesses by meaning; `explain` takes their ids."""
    from . import searching

    with _open(run, runs_dir) as opened:
        found = searching.search(opened, text, most=most, kind=kind, allow_import=allow_import)
        _say(_json(searching.facts(one)) if json_ else one.line() for one in found)
        if kind != "sample" and not searching.remembers(opened.path):
            typer.echo(f"{opened.name} remembers nothing yet: failures are at the end of each round", err=True)


def _open(run: Path | None, runs_dir: Path) -> "Run":
    from ...memory.reading import Run, newest

    return Run.load(newest(runs_dir) if run is None else find(run, runs_dir))


def _json(facts: Mapping[str, Any]) -> str:
    # ASCII alone: what a model wrote must not reach the terminal as a control character
    return json.dumps(facts, ensure_ascii=True)


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)
