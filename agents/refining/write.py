"""A curated data set on disk: whole or not at all, and never over what somebody else put there."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ...memory import files
from ...memory.errors import UsageError
from .refine import Refined
from .rows import Data

MARK = "curation.json"
"""Figures and settings; where it is, a folder is ours and may be replaced."""
OURS = ("_line", "_reason", "_score")
"""Columns that rejected rows have beside their own."""


def room(folder: Path) -> None:
    """See that a folder may be written.

    Raises:
        UsageError: something else is there.
    """
    if folder.exists() and not (folder / MARK).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: holds something else; choose another folder with --out")


def write(folder: Path, data: Data, done: Refined, *, page: str | None, facts: Mapping[str, Any]) -> list[Path]:
    """Write kept rows as they came in, and with a page the rejected ones as well.

    Args:
        folder: where; an earlier outcome there is replaced.
        data: what was read.
        done: what became of it.
        page: the report, as HTML; None for the kept rows alone.
        facts: figures and settings.

    Returns:
        The files.
    """
    room(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    ending = ".parquet" if data.path.suffix == ".parquet" else ".jsonl"
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent))
    try:
        _rows(staging / f"kept{ending}", [line.values for line in done.kept], data)
        if page is not None:
            lost = [
                {**one.line.values, **dict(zip(OURS, (one.line.number, one.reason, one.score), strict=True))}
                for one in done.fallen
            ]
            _rows(staging / f"rejected{ending}", lost, data, beside=True)
            files.write_text(staging / "report.html", page)
        files.write_json(staging / MARK, facts)
        staging.chmod(0o755)
        files.sync(staging)
        files.publish(staging, folder)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return sorted(folder.iterdir())


def _rows(path: Path, rows: Iterable[Mapping[str, Any]], data: Data, *, beside: bool = False) -> None:
    if path.suffix == ".jsonl":
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(_json(row) + "\n" for row in rows)
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pq.read_schema(data.path)
    if beside:
        for name, kind in zip(OURS, (pa.int64(), pa.string(), pa.float64()), strict=True):
            schema = schema.append(pa.field(name, kind))
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path, write_page_checksum=True)


def _json(row: Mapping[str, Any]) -> str:
    text = json.dumps(row, ensure_ascii=False)
    # half a surrogate pair has no place in UTF-8
    return text if text.isascii() or _encodes(text) else json.dumps(row, ensure_ascii=True)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
