"""A curated data set on disk: whole or not at all, and never over what somebody else put there."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...memory import files
from ...memory.errors import UsageError
from .refine import Refined
from .rows import Data

KINDS = ("jsonl", "parquet")
MARK = "curation.json"
"""Figures and settings; a folder with it and nothing but `FILES` is ours and may be replaced."""
FILES = frozenset({MARK, "report.html", *(f"{name}.{kind}" for name in ("kept", "rejected") for kind in KINDS)})
"""Everything that is ever written."""
OURS = ("_line", "_reason", "_score")
"""Columns that rejected rows have beside their own."""


def room(folder: Path, inputs: Mapping[str, Sequence[Path]]) -> None:
    """See that a folder may be written.

    Args:
        folder: where, with no link in it.
        inputs: files and folders that are read, by what they were given as.

    Raises:
        UsageError: something else is there, or what is read.
    """
    for said, paths in inputs.items():
        for path in paths:
            # a link lies in it as much as what it leads to
            if any(place.is_relative_to(folder) for place in (path.absolute(), path.resolve())):
                raise UsageError(
                    f"{folder}: {said} {path} lies in it and would be replaced; choose another folder with --out"
                )
    if not folder.exists():
        return
    there = sorted(folder.iterdir()) if folder.is_dir() else [folder]
    other = [path.name for path in there if path.name not in FILES or not path.is_file()]
    if other or (there and folder / MARK not in there):
        named = f" ({', '.join(other[:3])}{', …' if other[3:] else ''})" if other else ""
        raise UsageError(f"{folder}: holds something else{named}; choose another folder with --out")
    if folder.is_mount() or Path.cwd().is_relative_to(folder):
        raise UsageError(
            f"{folder}: is mounted or the folder you are in, and cannot be replaced as a whole; "
            "choose another folder with --out, such as one inside it"
        )


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

    Raises:
        UsageError: something else has come there meanwhile.
    """
    room(folder, {})
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
        replace(staging, folder)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return sorted(folder.iterdir())


def replace(staging: Path, folder: Path) -> None:
    """Move a written folder to its place; what was there is moved aside and goes only once the new one stands."""
    if not folder.exists():
        files.publish(staging, folder)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".old", dir=folder.parent))
    # a folder takes the place of an empty one
    folder.replace(aside)
    try:
        files.publish(staging, folder)
    except BaseException:
        if not folder.exists():
            aside.replace(folder)
        raise
    shutil.rmtree(aside)


def _rows(path: Path, rows: Iterable[Mapping[str, Any]], data: Data, *, beside: bool = False) -> None:
    if path.suffix == ".jsonl":
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(_json(row) + "\n" for row in rows)
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    made = list(rows)
    schema = _fitting(pq.read_schema(data.path), made)
    if beside:
        for name, kind in zip(OURS, (pa.int64(), pa.string(), pa.float64()), strict=True):
            schema = schema.append(pa.field(name, kind))
    texts = {field.name for field in schema if pa.types.is_string(field.type)}
    made = [{name: _text(value) if name in texts else value for name, value in row.items()} for row in made]
    pq.write_table(pa.Table.from_pylist(made, schema=schema), path, write_page_checksum=True)


def _fitting(schema: Any, rows: Sequence[Mapping[str, Any]]) -> Any:
    """Make texts of columns of numbers, or of nothing, to which somebody wrote a text."""
    import pyarrow as pa

    for place, field in enumerate(schema):
        bare = pa.types.is_integer(field.type) or pa.types.is_floating(field.type) or pa.types.is_null(field.type)
        if bare and any(isinstance(row.get(field.name), str) for row in rows):
            # what other programs noted of the columns is no longer so
            schema = schema.set(place, field.with_type(pa.string())).remove_metadata()
    return schema


def _text(value: object) -> object:
    return str(value) if isinstance(value, (int, float)) else value


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
