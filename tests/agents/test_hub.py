import json
import os
import subprocess
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from ..killing import COMMAND
from .handed import Hub, hub_at_hand, make_shared, make_students

pytestmark = pytest.mark.slow

TOKEN = "hf_" + "x" * 20


class Said(NamedTuple):
    code: int
    out: str
    err: str


Push = Callable[..., Said]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    return make_shared(folder, make_students(folder))


@pytest.fixture
def hub() -> Generator[Hub]:
    with hub_at_hand() as served:
        yield served


@pytest.fixture
def push(run: Path, tmp_path: Path) -> Push:
    def call(*arguments: str, **variables: str) -> Said:
        own: Mapping[str, str] = {"HF_HOME": str(tmp_path / "hf"), **variables}
        others = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
        done = subprocess.run(
            [COMMAND, "push", run, *arguments], env={**others, **own}, capture_output=True, text=True, timeout=120
        )
        return Said(done.returncode, done.stdout, done.stderr)

    return call


def test_a_student_and_its_data_go_up_private_with_their_cards(push: Push, hub: Hub) -> None:
    said = push("me/mini", "--data", "--json", HF_ENDPOINT=hub.url, HF_TOKEN=TOKEN)
    assert said.code == 0, said.err
    assert hub.private == {"models/me/mini": True, "datasets/me/mini": True}
    assert b"datasets:\n- me/mini" in hub.held["models/me/mini/README.md"]
    assert {"models/me/mini/model.safetensors", "datasets/me/mini/train.jsonl"} <= set(hub.held)
    assert hub.tokens == {f"Bearer {TOKEN}"}
    assert TOKEN not in said.out + said.err
    assert [parcel["kind"] for parcel in json.loads(said.out)["parcels"]] == ["model", "dataset"]


def test_what_everybody_sees_already_is_not_added_to_unasked(push: Push, hub: Hub) -> None:
    hub.private["models/me/mini"] = False
    said = push("me/mini", HF_ENDPOINT=hub.url, HF_TOKEN=TOKEN)
    assert (said.code, hub.held) == (2, {})
    assert "everybody sees it; say so with --public" in said.err
    assert push("me/mini", "--public", HF_ENDPOINT=hub.url, HF_TOKEN=TOKEN).code == 0


def test_a_dry_run_lists_what_would_go_and_asks_nobody(push: Push, hub: Hub) -> None:
    said = push("me/mini", "--data", "--dry-run", HF_ENDPOINT=hub.url)
    assert said.code == 0
    assert [name in said.out for name in ("model.safetensors", "README.md", "train.jsonl")] == [True] * 3
    assert (hub.private, hub.held, hub.tokens) == ({}, {}, set())


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({}, "no login for the Hugging Face Hub; try: hf auth login"),
        ({"HF_TOKEN": TOKEN, "HF_ENDPOINT": "http://127.0.0.1:9"}, "cannot be sent to http://127.0.0.1:9"),
        ({"HF_TOKEN": TOKEN, "HF_HUB_OFFLINE": "1"}, "offline mode is enabled"),
    ],
    ids=["no login", "no network", "offline"],
)
def test_without_login_or_network_one_line_says_so(push: Push, variables: dict[str, str], reason: str) -> None:
    said = push("me/mini", **variables)
    assert (said.code, said.out, said.err.count("\n")) == (4, "", 1)
    assert reason in said.err


@pytest.mark.parametrize("repo", ["mini", "a/b/c", "../mini", "me/mini --public"])
def test_a_name_that_is_no_repository_is_refused(push: Push, repo: str) -> None:
    said = push(repo, "--dry-run")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "OWNER/NAME" in said.err
