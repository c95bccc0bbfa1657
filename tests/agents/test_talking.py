"""Conversations with tools in a session, and in what leaves it."""

import json
from pathlib import Path

import pytest

from evolvent.agents.commands.telling import of_sample
from evolvent.agents.exports import dataset
from evolvent.agents.exports.dataset import Format
from evolvent.agents.planning import plan
from evolvent.memory.errors import ScenarioError, UsageError
from evolvent.memory.ledger import Ledger
from evolvent.memory.lineage import lineage
from evolvent.memory.reading import Run
from evolvent.memory.records import Attempt, Fate, Record, Sample
from evolvent.memory.talk import Call, spell
from evolvent.memory.viewer.pages import sample as page
from evolvent.training.trainer import write_rows
from evolvent.training.trainers.sft import Sft

from ..killing import session
from ..memory.runs import make_run
from ..talking import CITIES, TOOLED, WEATHER, make_task, talk_line, told
from ..training.brought import adopt, make_model

ENDINGS = [f"{a}{b}" for a in "abcdefghijkl" for b in "mnopqrstuv"]
SCENARIO = """name = "talk"
verifier = "tool_calls"

[source]
name = "file"
path = "calls.jsonl"
procedural = true

[skills.call]
[skills.tell]
guard = true

[student]
model = "model"

[splits]
select = 20
guard = 20
sealed = 20

[probe]
least = 8
most = 8
aimed = 8

[rounds]
most = 1
samples = 40

[gate]
margin = 0.5

[trainer]
longest = 400
epochs = 1.0
"""


def make_sample(*, calls: bool = True) -> Sample:
    task = make_task() if calls else told()
    return Sample(task=task, arm="targeted", round=1, weakness=None, teacher="program", recipe="draw")


def make_talking_run(folder: Path) -> tuple[Run, list[Sample]]:
    """A run of two samples that were kept: one calls, one answers with what came back."""
    samples = [make_sample(), make_sample(calls=False)]
    records: list[Record] = [*samples, *(Fate(sample=s.id, round=1, kept=True, reason="kept") for s in samples)]
    return Run.load(make_run(folder, records)), samples


def written(folder: Path, format: Format) -> list[dict[str, object]]:
    run, _ = make_talking_run(folder)
    dataset.write(dataset.samples(run), format, folder / "out")
    return [json.loads(line) for line in (folder / "out").read_text().splitlines()]


def write_scenario(folder: Path, text: str = SCENARIO) -> Path:
    """A scenario of calls and of answers to what came back, each about many cities."""
    lines = [talk_line(f"City{end}", skill=skill) for skill in ("call", "tell") for end in ENDINGS]
    (folder / "calls.jsonl").write_text("\n".join(lines))
    (folder / "talk.toml").write_text(text)
    return folder / "talk.toml"


def test_trl_gets_turns_calls_and_tools(tmp_path: Path) -> None:
    first, second = written(tmp_path, "trl")
    assert first["tools"] == [WEATHER]
    assert first["prompt"] == [{"role": "user", "content": "How warm is Rome?"}]
    (said,) = first["completion"]  # pyright: ignore[reportGeneralTypeIssues] -- JSON
    assert said["tool_calls"][0]["function"] == {"name": "get_weather", "arguments": {"city": "Rome"}}
    assert second["completion"] == [{"role": "assistant", "content": "4 C"}]


def test_sharegpt_gets_calls_and_observations(tmp_path: Path) -> None:
    first, second = written(tmp_path, "sharegpt")
    call = spell("", [Call("get_weather", {"city": "Rome"})])
    assert first["conversations"] == [
        {"from": "human", "value": "How warm is Rome?"},
        {"from": "function_call", "value": call},
    ]
    turns: list[dict[str, str]] = second["conversations"]  # pyright: ignore[reportAssignmentType] -- JSON
    assert [turn["from"] for turn in turns] == ["human", "function_call", "observation", "gpt"]
    assert json.loads(str(first["tools"])) == [WEATHER["function"]]


def test_parquet_keeps_conversations_beside_their_text(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    run, samples = make_talking_run(tmp_path)
    dataset.write(dataset.samples(run), "parquet", tmp_path / "out.parquet")
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["prompt"] for row in rows] == [s.task.prompt for s in samples]
    assert json.loads(rows[0]["talk"])["tools"] == [WEATHER]


def test_a_format_without_turns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"alpaca has no place for turns and tools.*; use trl or sharegpt"):
        written(tmp_path, "alpaca")


def test_a_sample_is_read_turn_by_turn_on_its_page_and_in_the_terminal(tmp_path: Path) -> None:
    run, (_, sample) = make_talking_run(tmp_path)
    shown = "".join(page.page(run, {"id": sample.id}).body)
    for said in ("tool get_weather", "How warm is Rome?", "may call get_weather", "<code>4 C</code>"):
        assert said in shown
    lines = of_sample(lineage(run.ledger, sample.id), "run")
    assert "  user: How warm is Rome?" in lines
    assert '  assistant calls get_weather({"city": "Rome"})' in lines


def test_the_embedded_student_is_refused_before_anything_runs(tmp_path: Path) -> None:
    path = write_scenario(tmp_path, SCENARIO.replace('[student]\nmodel = "model"\n', ""))
    with pytest.raises(ScenarioError, match=r"skills\.call holds conversations: the embedded student .*student\.model"):
        plan(path, [], seed=0, limit=None, allow_import=False)


def test_a_template_without_tools_is_refused_before_anything_runs(tmp_path: Path) -> None:
    make_model(tmp_path / "model", positions=512)
    with pytest.raises(ScenarioError, match="chat template leaves tools away, such as 'get_weather'"):
        plan(write_scenario(tmp_path), [], seed=0, limit=None, allow_import=False)


def test_a_teacher_that_writes_is_refused_for_what_is_drawn(tmp_path: Path) -> None:
    make_model(tmp_path / "model", template=TOOLED, positions=512)
    model = 'name = "openai"\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "m"\n'
    more = f'\n[teacher]\nname = "llm"\n[models.teacher]\n{model}[models.judge]\n{model}'
    with pytest.raises(ScenarioError, match="conversations, which teacher 'llm' does not write"):
        plan(write_scenario(tmp_path, SCENARIO + more), [], seed=0, limit=None, allow_import=False)


@pytest.mark.slow
def test_a_session_probes_teaches_and_examines_calls(tmp_path: Path) -> None:
    base = adopt(make_model(tmp_path / "untaught", template=TOOLED, positions=512), tmp_path / "base")
    tasks = [told(city) for city in CITIES]
    write_rows(tmp_path, [(t.id, t.prompt, t.answer) for t in tasks], tasks=tasks)
    Sft(batch=8, learning_rate=5e-3).train(tmp_path, start=base, seed=0, steps=5)
    (tmp_path / "model" / "manner.json").unlink()
    write_scenario(tmp_path)
    ended = session("run", "talk.toml", "--json", folder=tmp_path)
    assert ended.code == 0, ended.said
    ledger = Ledger(Path(ended.events[0]["dir"]) / "ledger.sqlite", read_only=True)
    kept = {fate.sample for fate in ledger.read(Fate) if fate.kept}
    samples = [sample for sample in ledger.read(Sample) if sample.id in kept]
    assert samples
    assert all(sample.task.talk for sample in [*samples, *ledger.read(Attempt)])  # pyright: ignore[reportUnknownMemberType]
    ledger.close()
