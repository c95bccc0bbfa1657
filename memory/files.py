"""Files that are either whole or not there: temporary name, fsync, rename, fsync of the folder.

A directory counts only with its `COMPLETE.json` (names, sizes, sha256), written last.
"""

import contextlib
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .trace import spent

COMPLETE = "COMPLETE.json"
CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
"""Made once: for a short value, making an encoder costs as much as encoding."""


def canonical(value: object) -> str:
    """One JSON text per value: sorted keys, no spaces, NaN refused."""
    return CANONICAL.encode(value)


def digest(value: object, *, length: int = 16) -> str:
    """Hash a JSON value: `length` hexadecimal digits of the sha256 of its canonical text."""
    return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()[:length]


def read_json(text: str) -> dict[str, Any]:
    """Read a JSON object that this module wrote."""
    value = json.loads(text)
    assert isinstance(value, dict)
    return value


def database(path: Path, mode: str = "ro") -> str:
    """Address under which SQLite opens a database; `mode` is `ro` or `rw`.

    A database with a log wants to write beside itself even to be read. Where that is not allowed and no log is left, as
    in a run of somebody else, it is read as a file that does not change.
    """
    address = f"{path.resolve().as_uri()}?mode={mode}"
    alone = mode == "ro" and not path.with_name(f"{path.name}-wal").exists()
    return f"{address}&immutable=1" if alone and not os.access(path.parent, os.W_OK) else address


def file_digest(path: Path) -> str:
    """Sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Make renames inside a folder survive a power loss."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file in one step; after a crash it holds the old content or the new one."""
    with spent("fsync"):
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def write_text(path: Path, text: str) -> None:
    """Replace a text file in one step."""
    write_bytes(path, text.encode())


def json_lines(path: Path) -> list[str]:
    """Lines of a JSON Lines file: a text in it may hold what Python takes for the end of one, such as U+2028.

    A byte that is no UTF-8 becomes half a surrogate pair, which nothing that is stored may hold.
    """
    text = path.read_bytes().decode(errors="surrogateescape")
    return text.removesuffix("\n").split("\n") if text else []


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replace a JSON file in one step, indented for reading."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def sync(folder: Path) -> None:
    """Fsync everything in a folder, so that a power loss takes none of it."""
    with spent("fsync"):
        for path in sorted(folder.rglob("*")):
            if path.is_dir():
                sync_folder(path)
            elif path.is_file():
                with path.open("rb") as file:
                    os.fsync(file.fileno())


def seal(folder: Path) -> str:
    """Fsync everything in a folder and write its COMPLETE.json; give the digest of the contents."""
    sync(folder)
    with spent("fsync"):
        entries: dict[str, dict[str, Any]] = {}
        for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name != COMPLETE):
            entries[path.relative_to(folder).as_posix()] = {"bytes": path.stat().st_size, "sha256": file_digest(path)}
    content = digest(entries, length=64)
    write_json(folder / COMPLETE, {"digest": content, "files": entries})
    return content


def verify(folder: Path) -> str | None:
    """Give the digest of a sealed folder, or None if it is unsealed, damaged or incomplete."""
    try:
        manifest = json.loads((folder / COMPLETE).read_text())
        for name, entry in manifest["files"].items():
            path = folder / name
            if path.stat().st_size != entry["bytes"] or file_digest(path) != entry["sha256"]:
                return None
        content = digest(manifest["files"], length=64)
        return content if manifest["digest"] == content else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def thin(folder: Path, names: Iterable[str]) -> int:
    """Remove files from a sealed folder, which stays whole without them; give their bytes.

    What was removed stays listed with its sizes and digests. The seal is written first, so that a kill leaves a whole
    folder with files that are in nobody's way, and the next call goes on.
    """
    manifest = json.loads((folder / COMPLETE).read_text())
    gone = manifest.get("removed", {}) | {
        name: manifest["files"].pop(name) for name in names if name in manifest["files"]
    }
    if gone != manifest.get("removed", {}):
        content = digest(manifest["files"], length=64)
        write_json(folder / COMPLETE, {"digest": content, "files": manifest["files"], "removed": gone})
    for name in gone:
        (folder / name).unlink(missing_ok=True)
    for parent in {(folder / name).parent for name in gone}:
        sync_folder(parent)
    return sum(entry["bytes"] for entry in gone.values())


def removed(folder: Path) -> list[str]:
    """Names of the files that were removed from a sealed folder."""
    try:
        return sorted(json.loads((folder / COMPLETE).read_text()).get("removed", ()))
    except (OSError, ValueError, AttributeError, TypeError):
        return []


def size(folder: Path) -> int:
    """Bytes of all files in a folder; links are not followed, and what goes meanwhile counts nothing."""
    found = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                entry = os.lstat(os.path.join(place, name))
                found += entry.st_size if stat.S_ISREG(entry.st_mode) else 0
    return found


def publish(staging: Path, target: Path) -> None:
    """Move a sealed folder to its place, replacing an incomplete one."""
    with spent("fsync"):
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            shutil.rmtree(target)
        staging.replace(target)
        sync_folder(target.parent)
