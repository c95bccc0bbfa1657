import asyncio
import io
import json
import shutil
import time
import zipfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from datasets import load_dataset
from datasets.packaged_modules.json.json import has_agent_traces_markers, parse_traces_info

from evolvent.agents.commands.items import tasks
from evolvent.agents.exports.record import export_record
from evolvent.agents.exports.talk import Talk
from evolvent.memory.account import ANSWERS
from evolvent.memory.budget import Budget, Purse
from evolvent.memory.errors import RunError, UsageError
from evolvent.memory.inference import Request
from evolvent.memory.reading import Run
from evolvent.memory.records import Session
from evolvent.memory.responses import Responses
from evolvent.memory.trace import Trace, recording, span
from evolvent.scenarios.loader import parse
from evolvent.training.engines.openai import OpenAI

from ..endpoint import MODEL, Endpoint, serving
from ..memory.runs import make_exam, make_run, story
from .calling import call
from .handed import make_shared, make_students

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_students(tmp_path_factory.mktemp("built"))


@pytest.fixture
def run(built: Path, tmp_path: Path) -> Run:
    return Run.load(make_shared(tmp_path, built))


def messages(path: Path) -> list[dict[str, Any]]:
    head, *lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert (head["type"], head["harness"]) == ("session", "evolvent")
    assert {line["type"] for line in lines} == {"message"}
    return [line["message"] for line in lines]


def test_the_session_is_one_conversation_whose_calls_have_their_results(run: Run, tmp_path: Path) -> None:
    made = export_record(run, "trace", tmp_path / "out")
    said = messages(tmp_path / "out" / "session.jsonl")
    assert made["messages"] == len(said)
    asked, called, came, end = said
    assert (asked["role"], called["role"], came["role"], end["role"]) == ("user", "assistant", "tool", "assistant")
    assert "Teach the student carry. Keep plain as good as they are." in asked["content"]
    assert called["toolCalls"][0]["function"] == {"name": "curate", "arguments": '{"round": 1}'}
    assert came["toolCallId"] == called["toolCalls"][0]["id"]
    assert json.loads(came["content"])["kept"] == 1


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("diagnose", "carry: fails where a digit carries"),
        ("allocate", "carry: 2 samples"),
        ("generate.1", "17+25 kept → fails where a digit carries"),
        ("critique.1", "refused by exact"),
        ("decide", "promoted: fails where a digit carries"),
    ],
)
def test_steps_say_what_they_left_on_the_record(step: str, words: str, tmp_path: Path) -> None:
    from contextlib import closing

    from evolvent.memory.ledger import Ledger

    path = make_run(tmp_path, story())
    with closing(Ledger(path / "ledger.sqlite")) as ledger:
        ledger.intend("more", step, 1)
    with Run.load(path) as run:
        from evolvent.agents.exports import story as told

        told.write(run, tmp_path / "session.jsonl")
    said = {
        m["toolCalls"][0]["function"]["name"]: m["content"]
        for m in messages(tmp_path / "session.jsonl")
        if "toolCalls" in m
    }
    assert words in said[step]


def test_the_hubs_loader_reads_trace_and_tables_by_their_cards(run: Run, tmp_path: Path) -> None:
    for kind in ("trace", "tables"):
        export_record(run, kind, tmp_path / kind)
    cache = str(tmp_path / "cache")
    trace = load_dataset(str(tmp_path / "trace"), parse_agent_traces=False, split="train", cache_dir=cache)
    assert trace.num_rows == 5
    assert has_agent_traces_markers(trace.features)
    lines = (tmp_path / "trace" / "session.jsonl").read_text().splitlines()
    asked = messages(tmp_path / "trace" / "session.jsonl")[0]["content"]
    assert parse_traces_info(lines)[1:3] == (run.trace.identity(), asked)
    for name in ("samples", "attempts", "rounds", "spans"):
        table = load_dataset(str(tmp_path / "tables"), name, split="train", cache_dir=cache)
        assert table.num_rows == getattr(run, name)().num_rows > 0
        assert pq.read_table(tmp_path / "tables" / f"{name}.parquet").to_pylist() == getattr(run, name)().to_pylist()


def test_the_command_writes_a_part_of_the_record(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "export", run.path, "--out", tmp_path / "out", "--record", "tables") == 0
    assert "4 files, 2 samples, 1 attempts, 1 rounds, 2 spans" in capsys.readouterr().out
    assert call(monkeypatch, "export", run.path, "--out", tmp_path / "two", "--record", "trace", "--format", "trl") == 2
    assert "or the record with --record" in capsys.readouterr().err
    assert call(monkeypatch, "export", run.path, "--out", tmp_path / "two", "--record", "trace", "--no-ask") == 2


def test_a_run_without_exams_has_none_to_export(tmp_path: Path) -> None:
    run = Run.load(make_run(tmp_path, []))
    with pytest.raises(UsageError, match="no exam was sat yet"):
        export_record(run, "exams", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def sat(built: Path, tmp_path: Path) -> Run:
    """A run whose scenario has as many exam items as its exams have results."""
    exams = [
        make_exam("base", 0, carry="0001000000"),
        make_exam("base", 0, carry="1" * 10, split="guard", skill="plain"),
        make_exam("gone", 1, carry="1" * 10),
    ]
    path = make_run(tmp_path, exams)
    skills = {"carry": {"task": {"operation": "add"}}, "plain": {"guard": True, "task": {"operation": "subtract"}}}
    splits = {"select": 10, "guard": 10, "sealed": 10}
    small = {"name": "mini", "source": "arithmetic", "skills": skills, "splits": splits}
    scenario = parse(small, where="test")
    begun = Session(name="mini", scenario=scenario.hash, seed=3, limit=None, graph="g", settings={"source": ""})
    stored = {"status": "finished", "session": begun.model_dump(mode="json"), "pid": -1}
    (path / "session.json").write_text(json.dumps(stored))
    (path / "scenario.resolved.json").write_text(json.dumps({"scenario": scenario.model_dump(mode="json")}))
    shutil.copytree(built, path / "base")
    return Run.load(path)


def test_every_exam_is_a_log_with_items_answers_and_the_scores_on_the_record(sat: Run, tmp_path: Path) -> None:
    made = export_record(sat, "exams", tmp_path / "out")
    assert (made["files"], made["items"], made["answered"]) == (3, 30, 20)
    logs = [members(path) for path in sorted((tmp_path / "out").glob("*.eval"))]
    (first,) = [
        log for log in logs if log["header.json"]["eval"]["metadata"] | {"run": ""} == {
            "run": "", "round": 0, "arm": "targeted", "split": "select", "student": "base",
        }
    ]  # fmt: skip
    drawn = tasks(sat.path, "select")
    samples = [first[f"samples/{number}_epoch_1.json"] for number in range(1, 11)]
    assert [(s["input"], s["target"]) for s in samples] == [(t.prompt, t.answer) for t in drawn]
    assert [s["scores"]["exact"]["value"] for s in samples] == [*"IIICIIIIII"]
    assert all(s["output"]["completion"] == s["messages"][1]["content"] for s in samples)
    assert {s["metadata"]["skill"] for s in samples} == {"carry"}
    assert "on the record it has 1" in samples[3]["scores"]["exact"]["explanation"]
    metrics = first["header.json"]["results"]["scores"][0]["metrics"]
    assert (metrics["accuracy"]["value"], metrics["carry"]["value"]) == (0.1, 0.1)
    assert len({log["header.json"]["eval"]["task_id"] for log in logs}) == len(logs)
    assert [s["id"] for s in first["summaries.json"]] == first["header.json"]["eval"]["dataset"]["sample_ids"]


def test_without_asking_again_only_the_answers_are_missing(sat: Run, tmp_path: Path) -> None:
    export_record(sat, "exams", tmp_path / "out", ask=False)
    for path in (tmp_path / "out").glob("*.eval"):
        sample = members(path)["samples/1_epoch_1.json"]
        assert (sample["output"]["choices"], len(sample["messages"])) == ([], 1)
        assert "not asked again" in sample["scores"]["exact"]["explanation"]


def test_exams_whose_tasks_are_not_the_same_any_more_are_not_exported(run: Run, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="export with the version that ran the session"):
        export_record(run, "exams", tmp_path / "out")


def members(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as log:
        return {name: json.loads(log.read(name)) for name in log.namelist()}


def test_what_a_teacher_was_told_and_said_stands_in_its_step(tmp_path: Path) -> None:
    path = make_run(tmp_path, [])
    with serving(Endpoint()) as endpoint, recording(Trace(path / "trace.sqlite")), span("write", round=2):
        part = OpenAI.model_validate({"base_url": endpoint.url, "model": MODEL})
        store = Responses(path / ANSWERS)
        asked = [Request("1+2", system="be brief"), Request("2+2", system="be brief")]
        for role in ("teacher", "student"):
            engine = part.connect(Purse(Budget(), clock=time.monotonic), store, role=role)
            for request in asked:
                asyncio.run(engine.ask([request]))
            engine.close()
            asked = [Request("4+4")]
        store.close()
    with Run.load(path) as run:
        (whole,) = [s for s in run.trace.roots() if s.name == "write"]
        said = list(Talk(run).between(whole.started, whole.started + whole.seconds))
    assert [(m["role"], m["content"]) for m in said] == [
        ("system", "be brief"), ("user", "1+2"), ("assistant", "3"), ("user", "2+2"), ("assistant", "4"),
    ]  # fmt: skip
    assert said[2]["model"] == f"{MODEL} (teacher)"
    assert said[0]["timestamp"] <= said[-1]["timestamp"]
