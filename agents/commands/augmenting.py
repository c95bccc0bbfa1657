"""`augment`: more rows for a table that has few, without those that its real rows contradict.

With statistical generators real rows alone were better on four real tables (`benchmarks/lab/tabular_augmentation.py`).
"""

import csv
import io
import json
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...memory.errors import UsageError, suggest
from . import options

if TYPE_CHECKING:
    from ..refining.columns import Columns

app = typer.Typer()


@app.command()
def augment(
    data: Annotated[Path, typer.Argument(help="CSV, TSV, Parquet or JSON Lines file of real rows.")],
    label: Annotated[str, typer.Option(metavar="COLUMN", help="Column of what a row is: two or more classes.")],
    rows: Annotated[int, typer.Option(min=1, max=1_000_000, help="Rows to make.")] = 500,
    method: Annotated[
        str, typer.Option(metavar="NAME", help="Generator: interpolated, marginal or copula.")
    ] = "interpolated",
    made: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Rows that are made already, by a language model for example.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="New file: .csv or JSON Lines.")
    ] = None,
    seed: options.Seed = 0,
    json_: options.Json = False,
) -> None:
    """Make rows for a table that has few, and keep those whose label the real rows do not contradict."""
    from ..refining.columns import Columns, read

    since = time.perf_counter()
    if find_spec("sklearn") is None:
        raise UsageError("augment: scikit-learn is not installed; try: pip install 'evolvent[tables]'")
    known = read(data)
    to = out or data.with_name(f"{data.stem}-augmented{'.csv' if data.suffix == '.csv' else '.jsonl'}")
    if to.exists():
        raise UsageError(f"{to}: is there already; choose another file with --out")
    if not to.parent.is_dir():
        raise UsageError(f"--out {to}: no such folder: {to.parent}; make it first")
    columns = Columns.of(known, label, where=str(data))
    if made is None:
        candidates, faults = _made(columns, known, method, rows, seed), []
    else:
        given = read(made)
        faults = [f"row {number}: {fault}" for number, row in enumerate(given, 1) if (fault := columns.fault(row))]
        candidates = [row for row in given if not columns.fault(row)]
    kept = _kept(columns, known, candidates, seed)
    _write(to, kept, columns=list(known[0]))
    facts: dict[str, Any] = {
        "file": str(to), "real": len(known), "made": len(candidates) + len(faults), "kept": len(kept),
        "contradicted": len(candidates) - len(kept), "unreadable": faults, "seed": seed,
        "method": method if made is None else str(made), "seconds": round(time.perf_counter() - since, 3),
    }  # fmt: skip
    typer.echo(json.dumps({"event": "augmented", **facts}, ensure_ascii=False) if json_ else _said(facts))


def _made(
    columns: "Columns", known: Sequence[Mapping[str, Any]], method: str, rows: int, seed: int
) -> list[dict[str, Any]]:
    """Rows that a generator makes of the real ones."""
    import numpy as np

    from ...training.curation.generation import GENERATORS

    if (generate := GENERATORS.get(method)) is None:
        raise UsageError(f"--method {method!r}: known are {', '.join(GENERATORS)}{suggest(method, list(GENERATORS))}")
    return list(columns.decode(generate(columns.encode(known), rows, np.random.default_rng(seed))))


def _kept(
    columns: "Columns", known: Sequence[Mapping[str, Any]], candidates: Sequence[Mapping[str, Any]], seed: int
) -> list[Mapping[str, Any]]:
    """Candidates that the learning dynamics on real rows do not contradict."""
    from ...training.curation.boosting import contradicted, watched

    if not candidates:
        return []
    gone_S = contradicted(watched(columns.encode(known), columns.encode(candidates), seed=seed))
    return [row for row, gone in zip(candidates, gone_S, strict=True) if not gone]


def _write(path: Path, rows: Sequence[Mapping[str, Any]], *, columns: Sequence[str]) -> None:
    from ...memory.files import write_text

    if path.suffix == ".csv":
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(rows[0]) if rows else columns, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
        write_text(path, text.getvalue())
        return
    write_text(path, "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows))


def _said(facts: Mapping[str, Any]) -> str:
    """What became of the rows, for a terminal."""
    from ...memory.display import line

    said = [f"kept     {facts['kept']:,} of {facts['made']:,} rows made; {facts['real']:,} are real"]
    said += [f"lost     {facts['contradicted']:,}: the real rows contradict the label"] if facts["contradicted"] else []
    said += [f"lost     {line(fault)}" for fault in facts["unreadable"]]
    said += [
        f"wrote    {facts['file']}",
        "see on held-out real rows that a classifier is better with them than without: it often is not",
    ]
    return "\n".join(said)
