"""`curate`: which rows of a data set are worth training on, without a session."""

import asyncio
import json
import re
import shlex
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...memory.errors import UsageError
from ...memory.secrets import HIDDEN, Secrets
from . import options

if TYPE_CHECKING:
    from ...memory.inference import Model
    from ...training.curation.pool import Context
    from ..refining.recipe import Recipe
    from ..refining.refine import Refined
    from ..refining.rows import Data

app = typer.Typer()
ROOT = __name__.rpartition(".agents")[0]
"""Name of the package."""
USER = re.compile(r"(\w://)[^\s\"'/?#]*@")
QUERY = re.compile(r"(\w://[^\s\"'?#]*)[?#][^\s\"']*")
"""Parts of an address that often hold a key."""


@app.command()
def curate(
    data: Annotated[Path, typer.Argument(help="JSON Lines, CSV or Parquet file of questions and answers.")],
    select: Annotated[
        str, typer.Option(metavar="NAME", help="Selector, or a scorer with the selector that goes with it.")
    ] = "",
    budget: Annotated[str, typer.Option(metavar="ROWS", help="Rows to keep at most: 5000, or 10%.")] = "",
    score: Annotated[str, typer.Option(metavar="NAME", help="Scorer.")] = "",
    enhance: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Enhancer; may be given again.")] = None,
    order: Annotated[str, typer.Option(metavar="NAME", help="Orderer of the rows that are kept.")] = "",
    against: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Exam items that no kept row may give away.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Folder to write; FILE-curated by default.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Write the rejected rows with reasons and a report as well.")
    ] = False,
    prompt: Annotated[str, typer.Option(metavar="COLUMN", help="Column of the question.")] = "",
    answer: Annotated[str, typer.Option(metavar="COLUMN", help="Column of the answer.")] = "",
    skill: Annotated[str, typer.Option(metavar="COLUMN", help="Column of what a row belongs to.")] = "",
    student: Annotated[
        list[Path] | None, typer.Option(metavar="FOLDER", help="Student; several in the order they were trained.")
    ] = None,
    targets: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Solved examples of what is to be learned.")
    ] = None,
    recipe: Annotated[Path | None, typer.Option(metavar="FILE", help="TOML file with all of this.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting, e.g. scorer.bandwidth=0.5.")
    ] = None,
    seed: options.Seed = 0,
    json_: options.Json = False,
    allow_import: options.AllowImport = False,
) -> None:
    """Keep the rows of a data set that are worth training on, and say why the others are not."""
    from ..refining.recipe import compose
    from ..refining.rows import bring
    from ..refining.write import room, write

    since = time.perf_counter()
    folder = (out or data.with_name(f"{data.stem}-curated")).resolve()
    single = {"data": data, "--targets": targets, "--recipe": recipe}
    inputs = {said: [path] for said, path in single.items() if path}
    room(folder, {**inputs, "--against": against or [], "--student": student or []})
    given = compose(recipe, select=select, score=score, order=order, enhance=enhance or [], overrides=set_ or [])
    rows = bring(data, question=prompt, answer=answer, skill=skill)
    most = _budget(budget, len(rows.lines))
    done, facts, page = _done(
        rows, given, most, folder, students=student or [], targets=targets, against=against or [], seed=seed,
        allow_import=allow_import,
    )  # fmt: skip
    facts = {**facts, "seconds": round(time.perf_counter() - since, 3)}
    written = write(folder, rows, done, page=page if explain else None, facts=facts)
    if json_:
        typer.echo(json.dumps({"event": "curated", "dir": str(folder), **facts}, ensure_ascii=False))
        return
    typer.echo("\n".join([*_lines(facts), *(f"wrote    {path}" for path in written)]))


def _done(
    rows: "Data", given: "Recipe", most: int | None, folder: Path, *, students: list[Path], targets: Path | None,
    against: list[Path], seed: int, allow_import: bool,
) -> "tuple[Refined, dict[str, Any], str]":  # fmt: skip
    """Run the methods; give what became of the rows, figures, and the report."""
    from ...memory.embedder import Embedder
    from ...memory.files import file_digest
    from ...memory.parts import load
    from ...training.curation.pool import Pool, Row
    from ..curators import Curators
    from ..refining import page, shift
    from ..refining.refine import refine
    from ..refining.rows import bring

    curators = Curators.resolve(given, "curate", chooses=True, allow_import=allow_import)
    if faults := curators.faults(given.models):
        raise UsageError(f"curate: {'; '.join(faults)}")
    if most is not None and curators.selector is None:
        raise UsageError("curate: --budget needs somebody to choose; name a selector with --select, such as random")
    embedder = load(given.embedder, base=Embedder, package=f"{ROOT}.memory.embedders", where="curate")
    items = [line.row for path in against for line in bring(path).lines if line.row is not None]
    with ExitStack() as stack:
        context = _context(given, stack, folder, students=students, targets=targets, embedder=embedder, seed=seed)
        done = asyncio.run(
            refine(
                rows, curators, context, embedder=embedder, near=given.near, ngram=given.ngram,
                against=items, budget=most,
            )
        )  # fmt: skip
    read = Pool(tuple(line.row for line in rows.lines if line.row is not None), embedder.embed)
    kept: list[Row] = [line.row for line in done.kept if line.row is not None]
    pools = [(pool, shift.figures(pool)) for pool in (read, Pool(tuple(kept), embedder.embed))]
    facts: dict[str, Any] = {
        "file": str(rows.path),
        "sha256": file_digest(rows.path),
        "rows": len(rows.lines),
        "kept": len(done.kept),
        "changed": len(done.changed),
        "lost": dict(page.reasons(done.fallen)),
        "methods": {**curators.describe(), "embedder": embedder.describe(), "near": given.near, "ngram": given.ngram},
        "seed": seed,
        "before": pools[0][1].facts(),
        "after": pools[1][1].facts(),
    }
    foot = {
        "data": str(rows.path),
        "its sha256": facts["sha256"],
        "methods": json.dumps(facts["methods"], ensure_ascii=False),
        "again": _again(sys.argv[1:]),
    }
    return done, facts, page.page(rows.path.name, done, pools[0], pools[1], foot)


def _context(
    given: "Recipe", stack: ExitStack, folder: Path, *, students: list[Path], targets: Path | None, embedder: Any,
    seed: int,
) -> "Context":  # fmt: skip
    """What methods may look at beside the rows."""
    from ...memory.account import Account, paying
    from ...memory.budget import Budget
    from ...memory.parts import load
    from ...training.curation.pool import Context, Pool
    from ...training.engine import EnginePart
    from ..curators import ASKED
    from ..refining.rows import bring

    for path in students:
        if not (path / "config.json").is_file():
            raise UsageError(f"--student {path}: no student is there; give a folder with config.json and its weights")
    asked: dict[str, Model] = {}
    if given.models:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # asked again, the same rows are not paid for twice
        stack.enter_context(paying(Account(folder.with_name(f"{folder.name}.answers.sqlite"), Budget())))
    for role in ASKED:
        if (spec := given.models.get(role)) is not None:
            engine = load(spec, base=EnginePart, package=f"{ROOT}.training.engines", where="curate")
            asked[role] = engine.serve(role)
            stack.callback(asked[role].close)
    solved = [line.row for line in bring(targets).lines if line.row is not None] if targets else []
    return Context(
        seed=seed,
        student=students[-1] if students else None,
        checkpoints=tuple(students),
        targets=Pool(tuple(solved), embedder.embed) if targets else None,
        scorer=asked.get("scorer"),
        teacher=asked.get("teacher"),
    )


def _budget(said: str, rows: int) -> int | None:
    """Rows to keep; None where nobody says.

    Raises:
        UsageError: it is no number.
    """
    if not said:
        return None
    if (share := re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", said.strip())) and 0 < float(share[1]) <= 100:
        return max(1, round(rows * float(share[1]) / 100))
    if re.fullmatch(r"[\d_,]+", said.strip()) and (number := int(re.sub(r"[_,]", "", said) or 0)):
        return number
    raise UsageError(f"--budget {said!r}: write how many rows to keep, such as 5000, or a share, such as 10%")


def _again(arguments: list[str]) -> str:
    """The command line, without keys of the environment and without what lets somebody in at an address."""
    secrets = Secrets.here()
    shown = [QUERY.sub(rf"\1?{HIDDEN}", USER.sub(rf"\1{HIDDEN}@", secrets.redact(one))) for one in arguments]
    return shlex.join(["evolvent", *shown])


def _lines(facts: dict[str, Any]) -> list[str]:
    """What became of the rows, for a terminal."""
    from ...memory.display import line

    lines = [f"kept     {facts['kept']:,} of {facts['rows']:,} rows, {facts['changed']:,} of them changed"]
    lines += [f"lost     {count:,}: {line(reason)}" for reason, count in facts["lost"].items()]
    return lines
