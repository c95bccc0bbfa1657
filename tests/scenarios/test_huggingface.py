import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

import pytest

from evolvent.memory.errors import PartError

from .builders import make_source

COMMIT = "0123456789" * 4
ROWS = [{"prompt": f"What is the half of {2 * n}?", "answer": n, "level": n % 2} for n in range(20)]


def save_parquet(folder: Path, name: str = "train.parquet", rows: list[dict[str, Any]] = ROWS) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / name)
    return str(folder)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datasets import config

    monkeypatch.setattr(config, "HF_DATASETS_CACHE", tmp_path / "cache")


def test_a_folder_of_data_files_is_a_source(tmp_path: Path) -> None:
    source = make_source("huggingface", path=save_parquet(tmp_path / "data"))
    assert source.size("talk", {}) == 20
    assert source.size("talk", {"where": {"level": 1}}) == 10
    (task,) = source.draw("talk", {}, 1, Random(0), allowed=lambda _: True)
    assert source.solve(task) == task.answer == str(int(task.prompt.split()[-1][:-1]) // 2)


def test_a_saved_data_set_holds_the_same_tasks_whether_it_has_splits_or_not(tmp_path: Path) -> None:
    from datasets import Dataset, DatasetDict

    data = Dataset.from_list(ROWS)
    data.save_to_disk(tmp_path / "one")
    DatasetDict({"train": data, "test": data.select(range(5))}).save_to_disk(tmp_path / "two")
    sources = [make_source("huggingface", path=str(tmp_path / name)) for name in ("one", "two")]
    one, two = (s.draw("talk", {}, 20, Random(1), allowed=lambda _: True) for s in sources)
    assert one == two
    assert make_source("huggingface", path=str(tmp_path / "two"), split="test").size("talk", {}) == 5
    with pytest.raises(PartError, match=r"two\[trian\]: no split 'trian'; did you mean 'train'\?; it has: test, train"):
        make_source("huggingface", path=str(tmp_path / "two"), split="trian").check("talk", {})


def test_a_folder_that_changes_is_another_source(tmp_path: Path) -> None:
    folder = save_parquet(tmp_path / "data")
    source = make_source("huggingface", path=folder)
    before = (source.size("talk", {}), source.fingerprint())
    save_parquet(tmp_path / "data", rows=ROWS[:7])
    assert source.size("talk", {}) == 7 != before[0]
    assert source.fingerprint() != before[1]


def test_a_row_that_is_wrong_is_named_by_data_set_split_and_number(tmp_path: Path) -> None:
    folder = save_parquet(tmp_path / "data", rows=[*ROWS, {**ROWS[0], "answer": None}])
    with pytest.raises(PartError, match=r"data\[train\]:21: 'answer' is None; write a text or a number"):
        make_source("huggingface", path=folder).check("talk", {})
    with pytest.raises(PartError, match=r"data\[train\]:1 has no column 'promt'; did you mean 'prompt'\?"):
        make_source("huggingface", path=folder, prompt="promt").check("talk", {})


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({}, r"name a data set on the hub in source\.repo, or a folder in source\.path"),
        ({"repo": "me/data", "path": "data"}, r"name a data set on the hub in source\.repo, or"),
        ({"repo": "me/data"}, r"revision '' may move; pin a commit, its forty hexadecimal digits"),
        ({"repo": "me/data", "revision": "main"}, r"revision 'main' may move"),
        ({"repo": "../data", "revision": COMMIT}, r"repo '\.\./data' is no id on the hub"),
        ({"path": "data", "revision": COMMIT}, r"revision belongs to a data set on the hub"),
        ({"path": "data", "split": ""}, r"split: "),
    ],
)
def test_a_place_that_is_none_or_may_move_is_refused(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(PartError, match=reason):
        make_source("huggingface", **settings)


def test_a_folder_without_data_and_one_with_code_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PartError, match=r"source\.path: no such folder: "):
        make_source("huggingface", path=str(tmp_path / "none")).check("talk", {})
    (tmp_path / "empty").mkdir()
    with pytest.raises(PartError, match=r"empty\[train\]: .*put Parquet, JSON Lines or CSV files there"):
        make_source("huggingface", path=str(tmp_path / "empty")).check("talk", {})
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "code.py").write_text("raise SystemExit('run')")
    with pytest.raises(PartError, match=r"code\[train\]: "):
        make_source("huggingface", path=str(tmp_path / "code")).check("talk", {})


def test_the_cell_of_a_split_that_is_not_there_says_which_are(tmp_path: Path) -> None:
    with pytest.raises(PartError, match=r"data\[test\]: Unknown split .*'train'.*; set source\.split"):
        make_source("huggingface", path=save_parquet(tmp_path / "data"), split="test").check("talk", {})


class Hub(BaseHTTPRequestHandler):
    """A hub with one data set, `me/data`, that refuses others and says why by the name that is asked for."""

    REFUSED = (("gated", 401, "GatedRepo"), ("gone", 404, "RepoNotFound"), ("moved", 404, "RevisionNotFound"))
    DATA = b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)

    def do_GET(self) -> None:
        status, error, body = self.answer()
        self.send_response(status)
        if error:
            self.send_header("X-Error-Code", error)
        for name, value in (("Content-Length", str(len(body))), ("X-Repo-Commit", COMMIT), ("ETag", f'"{COMMIT}"')):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def answer(self) -> tuple[int, str, bytes]:
        for name, status, code in self.REFUSED:
            if f"me/{name}/" in self.path:
                return status, code, b""
        file = {"type": "file", "path": "train.jsonl", "size": len(self.DATA), "oid": COMMIT}
        if self.path.endswith("train.jsonl"):
            return 200, "", self.DATA
        if "/tree/" in self.path:
            return 200, "", json.dumps([file]).encode()
        if "/revision/" in self.path:
            return 200, "", json.dumps({"id": "me/data", "sha": COMMIT, "siblings": []}).encode()
        return 404, "EntryNotFound", b""

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def ask(asked: list[tuple[str, str]], **environment: str) -> list[tuple[str, str]]:
    """Count the tasks of data sets at commits in a process of its own, which finds its hub in the environment."""
    script = (
        "import json, sys\n"
        "from evolvent.scenarios.sources.huggingface import HuggingFace\n"
        f"for repo, commit in {asked!r}:\n"
        "    source = HuggingFace(repo=repo, revision=commit)\n"
        "    try: print(json.dumps(['size', str(source.size('talk', {}))]))\n"
        "    except Exception as error: print(json.dumps([type(error).__name__, str(error)]))\n"
    )
    given = {"PATH": "", "NO_PROXY": "*", "HF_HUB_DISABLE_TELEMETRY": "1", **environment}
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=given, check=True)
    return [tuple(json.loads(line)) for line in said.stdout.splitlines()]


@pytest.mark.slow
def test_what_the_hub_refuses_is_said_with_the_way_out(hub: str, tmp_path: Path) -> None:
    names = ("me/gated", "me/gone", "me/moved")
    said = ask([(name, COMMIT) for name in names], HF_ENDPOINT=hub, HF_HOME=str(tmp_path))
    assert {kind for kind, _ in said} == {"PartError"}
    gated, gone, moved = (text for _, text in said)
    assert "me/gated[train]: " in gated
    assert "accept its terms there, and log in with `hf auth login`" in gated
    assert "look at source.repo" in gone
    assert "take a commit from its 'Files' page into source.revision" in moved


@pytest.mark.slow
def test_a_data_set_is_fetched_once_and_no_other_commit_stands_in_for_it(hub: str, tmp_path: Path) -> None:
    home = {"HF_ENDPOINT": hub, "HF_HOME": str(tmp_path)}
    offline = {**home, "HF_HUB_OFFLINE": "1"}
    assert ask([("me/data", COMMIT)], **offline)[0][0] == "PartError"
    assert ask([("me/data", COMMIT)], **home) == [("size", "20")]
    held, other = ask([("me/data", COMMIT), ("me/data", "f" * 40)], **offline)
    assert held == ("size", "20")
    assert other == (
        "PartError",
        f"me/data[train]: commit {'f' * 40} cannot be had, only {COMMIT}; connect, or pin that one",
    )
