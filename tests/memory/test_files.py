import json
import math
import resource
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolvent.memory import files

TREE = st.dictionaries(
    st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=2).map(lambda p: "/".join([*p, "f"])),
    st.binary(max_size=64),
    min_size=1,
    max_size=4,
)


@contextmanager
def full_disk(size: int) -> Generator[None]:
    """Let files of this process grow to `size` bytes and no further."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def fill(folder: Path, tree: dict[str, bytes]) -> Path:
    for name, content in tree.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    files.write_text(path, "old")
    with full_disk(100), pytest.raises(OSError, match="File too large"):
        files.write_text(path, "new" * 100)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_cannot_replace_a_folder(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    with pytest.raises(IsADirectoryError):
        files.write_bytes(tmp_path / "place", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["place"]


@pytest.mark.parametrize("value", [math.nan, math.inf, {"deep": [-math.inf]}])
def test_numbers_that_json_does_not_know_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        files.canonical(value)


def test_a_digest_does_not_depend_on_the_order_of_keys_and_is_the_same_for_ever() -> None:
    assert files.digest({"a": 1, "b": "é"}) == files.digest({"b": "é", "a": 1}) == "09ad9fd2fb648cb2"
    assert files.digest([1, "1"]) != files.digest(["1", 1])
    assert len(files.digest("\ud800", length=64)) == 64


@given(tree=TREE)
@settings(max_examples=6, deadline=None)
def test_a_sealed_folder_verifies_and_seals_to_the_same_digest(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, bytes]
) -> None:
    one, other = (fill(tmp_path_factory.mktemp("sealed"), tree) for _ in range(2))
    assert files.seal(one) == files.verify(one) == files.seal(other)
    assert files.seal(one) == files.seal(other)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model", b"weightz"),
        ("model", b"weight"),
        ("model", None),
        (files.COMPLETE, None),
        (files.COMPLETE, b""),
        (files.COMPLETE, b"\xff\x00"),
        (files.COMPLETE, b"[]"),
        (files.COMPLETE, b'{"files": {}}'),
        (files.COMPLETE, b'{"files": {}, "digest": "1"}'),
    ],
)
def test_a_damaged_folder_does_not_verify(tmp_path: Path, name: str, content: bytes | None) -> None:
    files.seal(fill(tmp_path, {"model": b"weights", "data/train": b"rows"}))
    (tmp_path / name).unlink() if content is None else (tmp_path / name).write_bytes(content)
    assert files.verify(tmp_path) is None


def test_a_folder_that_is_not_there_does_not_verify(tmp_path: Path) -> None:
    assert files.verify(tmp_path / "nowhere") is None


def test_publishing_replaces_an_incomplete_folder(tmp_path: Path) -> None:
    staging, target = fill(tmp_path / "staging", {"new": b""}), fill(tmp_path / "rounds" / "001", {"old": b""})
    content = files.seal(staging)
    files.publish(staging, target)
    assert files.verify(target) == content
    assert not (target / "old").exists()
    assert not staging.exists()


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5)))
def test_lines_of_json_are_read_as_they_were_written(texts: list[str]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "lines.jsonl"
        files.write_text(path, "".join(json.dumps(text, ensure_ascii=False) + "\n" for text in texts))
        assert [json.loads(line) for line in files.json_lines(path)] == texts
