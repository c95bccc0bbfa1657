"""A whole session whose student is a model in a folder, and what is said of one that cannot be."""

import json
from pathlib import Path

import pytest

from evolvent.memory.files import verify
from evolvent.memory.ledger import Ledger
from evolvent.memory.records import Fate
from evolvent.scenarios.loader import load
from evolvent.training import checkpoint
from evolvent.training.trainer import write_rows
from evolvent.training.trainers.sft import Sft

from ..killing import MINI, Json, Kill, figures, session
from ..scenarios.builders import make_splits
from ..training.brought import adopt, make_model

pytestmark = pytest.mark.slow

NOBODY = "http://127.0.0.1:9"
ELSEWHERE = f'engine = {{ name = "openai", base_url = "{NOBODY}", model = "m" }}\n'
SHORT = "--set=rounds.most=1"
STUDENT = """[student]
model = "model"
system = "You add."
template = { enable_thinking = false }
reasoning = ["<think>", "</think>"]

"""


def write_scenario(folder: Path, student: str = STUDENT) -> Path:
    """The mini scenario with a model of our own, whose folder lies beside it."""
    before, _, rest = MINI.read_text().partition("[student]")
    path = folder / "brought.toml"
    path.write_text(before + student + rest[rest.index("[trainer]") :])
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scenario beside a model that was taught a little of what its guard asks."""
    folder = tmp_path_factory.mktemp("brought")
    base = adopt(make_model(folder / "untaught"), folder / "base", template={"enable_thinking": False})
    tasks = make_splits(load(MINI)).draw("add-plain", "train", 400, stream="first")
    write_rows(folder, [(t.id, t.prompt, t.answer) for t in tasks])
    Sft(batch=32, learning_rate=5e-3).train(folder, start=base, seed=0, steps=60)
    (folder / "model" / "manner.json").unlink()
    write_scenario(folder)
    return folder


@pytest.fixture(scope="module")
def whole(folder: Path) -> tuple[Path, Json]:
    ended = session("run", "brought.toml", "--json", SHORT, folder=folder)
    assert ended.code == 0, ended.said
    return Path(ended.events[0]["dir"]), ended.events[-1]


def test_a_session_starts_from_a_model_as_it_is_and_ends_with_a_report(folder: Path, whole: tuple[Path, Json]) -> None:
    run, done = whole
    assert (done["status"], done["rounds"] >= 1, len(done["decisions"]) >= 1) == ("finished", True, True)
    assert (run / "report.html").is_file()
    assert verify(run / "base") is not None
    assert checkpoint.identify(run / "base") == checkpoint.identify(folder / "model")
    assert (run / "base" / "model.safetensors").samefile(folder / "model" / "model.safetensors")
    student = json.loads((run / "scenario.resolved.json").read_text())["scenario"]["student"]
    assert student["model"] == str(folder / "model")
    assert not {"first", "hidden"} & set(student)
    ledger = Ledger(run / "ledger.sqlite", read_only=True)
    assert any(fate.kept for fate in ledger.read(Fate))
    ledger.close()


def test_a_session_that_was_killed_goes_on_with_the_model_in_its_run(folder: Path, whole: tuple[Path, Json]) -> None:
    killed = session(
        "run", "brought.toml", "--json", SHORT, folder=folder, kill=Kill(point="train.before_seal", count=2)
    )
    assert killed.code == -9
    run = Path(killed.events[0]["dir"])
    ended = session("resume", run, "--json", folder=folder)
    assert ended.code == 0, ended.said
    assert figures(run, ended.events[-1]) == figures(whole[0], whole[1])


@pytest.mark.parametrize(
    ("student", "code", "said"),
    [
        ('[student]\nmodel = "nowhere"\n', 4, "no such folder; a model on the hub is named 'owner/name'"),
        ('[student]\nmodel = "owner/name"\nrevision = "main"\n', 2, "revision 'main' may move; pin a commit"),
        ('[student]\nmodel = "model"\nhidden = 64\n', 2, "leave hidden away beside model"),
        ('[student]\nsystem = "You add."\n', 2, "system belongs to a model of your own"),
        ('[student]\nmodel = "model"\ntemplate = { tokenize = true }\n', 2, "template cannot set 'tokenize'"),
        (f'[student]\nmodel = "model"\n{ELSEWHERE}', 2, "engine 'openai' answers with a model of its own"),
        (f'[student]\nmodel = "owner/name"\nrevision = "{"0" * 40}"\n', 4, "cannot be had from the hub"),
    ],
)
def test_a_student_that_cannot_be_is_refused_in_one_line(folder: Path, student: str, code: int, said: str) -> None:
    path = write_scenario(folder, student)
    ended = session("run", path, folder=folder, environment={"HF_ENDPOINT": NOBODY})
    write_scenario(folder)
    assert ended.code == code
    assert said in ended.said
    assert ended.said.count("\n") == 1
