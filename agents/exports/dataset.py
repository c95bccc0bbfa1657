"""Samples of a run in the formats that other tools read, each with where it comes from beside it."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from ...memory.errors import UsageError
from ...memory.reading import Run
from ...memory.records import Weakness
from ...memory.retraction import withdrawn
from ...memory.talk import Talk
from . import talking

Format = Literal["trl", "sharegpt", "alpaca", "parquet"]
Row = dict[str, Any]

ORIGIN = ("sample", "skill", "round", "weakness", "hypothesis", "teacher", "recipe", "operator", "reason")
"""Columns that say where a sample comes from."""
REFUSED = "review: a person refused the round"


def samples(run: Run, *, rejected: bool = False) -> list[Row]:
    """Samples that were kept to train on, or those that were not, in the order they were written.

    A round that is not curated yet has neither.
    """
    hypotheses = {w.id: w.hypothesis for w in run.ledger.read(Weakness)}
    rows = [row for row in run.samples().to_pylist() if row["arm"] == "targeted" and row["kept"] is not None]
    reviews = {number: run.ledger.result("review", number) or {} for number in {row["round"] for row in rows}}
    gone = withdrawn(run.ledger)
    found: list[Row] = []
    for row in rows:
        refused = REFUSED if row["kept"] and reviews[row["round"]].get("approved") is False else gone.get(row["sample"])
        if (row["kept"] and not refused) != rejected:
            reason = refused or row["reason"]
            found.append({**row, "hypothesis": hypotheses.get(row["weakness"] or ""), "reason": reason})
    return found


def write(rows: Sequence[Row], format: Format, path: Path) -> None:
    """Write samples in a format.

    Raises:
        UsageError: the format has no place for conversations, and there are some.
    """
    if format == "alpaca" and any(row["talk"] for row in rows):
        raise UsageError(
            "--format alpaca has no place for turns and tools, which these samples have; use trl or sharegpt"
        )
    shaped = [SHAPES[format](row) | {name: row[name] for name in ORIGIN} for row in rows]
    if format == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        names = dict.fromkeys(name for row in shaped for name in row)
        kinds = [(name, pa.int64() if name == "round" else pa.string()) for name in names]
        pq.write_table(pa.Table.from_pylist(shaped, schema=pa.schema(kinds)), path, write_page_checksum=True)
        return
    with path.open("w", encoding="utf-8", newline="\n") as file:
        # ASCII alone: no character of a model ends a line
        file.writelines(json.dumps(row, ensure_ascii=True) + "\n" for row in shaped)


def ending(format: Format) -> str:
    """What files of a format end with."""
    return ".parquet" if format == "parquet" else ".jsonl"


def _trl(row: Row) -> Row:
    """TRL's conversational prompt and completion: the loss lies on the completion."""
    if row["talk"]:
        return talking.trl(Talk.model_validate_json(row["talk"]), row["completion"])
    return {
        "prompt": [{"role": "user", "content": row["prompt"]}],
        "completion": [{"role": "assistant", "content": row["completion"]}],
    }


def _sharegpt(row: Row) -> Row:
    if row["talk"]:
        return talking.sharegpt(Talk.model_validate_json(row["talk"]), row["completion"])
    turns = [{"from": "human", "value": row["prompt"]}, {"from": "gpt", "value": row["completion"]}]
    return {"conversations": turns}


def _alpaca(row: Row) -> Row:
    return {"instruction": row["prompt"], "input": "", "output": row["completion"]}


def _flat(row: Row) -> Row:
    return {"prompt": row["prompt"], "completion": row["completion"], **({"talk": row["talk"]} if row["talk"] else {})}


SHAPES: Mapping[Format, Callable[[Row], Row]] = {
    "trl": _trl,
    "sharegpt": _sharegpt,
    "alpaca": _alpaca,
    "parquet": _flat,
}
"""What a sample looks like in each format."""
