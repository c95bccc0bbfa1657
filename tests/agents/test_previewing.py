import json
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from evolvent.agents import planning
from evolvent.scenarios.splits import Splits

from ..endpoint import MODEL, serving
from ..judging import generous
from ..killing import MINI
from ..teaching import Teaching
from .calling import Cli

TAUGHT = MINI.with_name("taught.toml")


@pytest.fixture
def endpoint() -> Generator[Teaching]:
    taught = Teaching()
    with serving(taught):
        yield taught


@pytest.fixture
def spare(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder for what is temporary, empty."""
    folder = tmp_path_factory.mktemp("spare")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def models(url: str) -> list[str]:
    settings = [
        f"models.{role}.{key}={value}"
        for role in ("teacher", "judge")
        for key, value in (("name", "openai"), ("base_url", url), ("model", MODEL))
    ]
    return [word for one in settings for word in ("--set", one)]


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_program_makes_samples_without_any_student_and_nothing_is_kept(
    evolvent: Cli, tmp_path: Path, spare: Path
) -> None:
    said = evolvent("scenario", "preview", MINI, "-n", "4", "--json", "--set", "teacher.errs=0")
    assert (said.code, said.err) == (0, "")
    made = records(said.out)
    assert [one["skill"] for one in made] == ["add-carry", "coin"] * 2
    assert len({one["sample"]["task"]["key"] for one in made}) == 4
    assert [one["calls"] for one in made] == [[]] * 4
    assert {(one["critique"]["accepted"], one["fate"]["kept"]) for one in made} == {(True, True)}
    assert [*tmp_path.iterdir(), *spare.iterdir()] == []


def test_a_wrong_sample_is_shown_with_the_critique_and_the_fate_that_it_meets(evolvent: Cli, spare: Path) -> None:
    said = evolvent("scenario", "preview", MINI, "-n", "1", "--skill", "add-carry", "--set", "teacher.errs=1")
    assert "critique: refused by exact: expected" in said.out
    assert "fate: critique: expected" in said.out
    assert said.out.endswith("--- 0 of 1 would be trained on; nothing was kept\n")


def test_a_model_is_really_asked_and_all_that_was_said_is_shown(
    evolvent: Cli, endpoint: Teaching, tmp_path: Path, spare: Path
) -> None:
    said = evolvent("scenario", "preview", TAUGHT, "-n", "3", "--json", *models(endpoint.url))
    assert said.code == 0, said.err
    made = records(said.out)
    asked = [turn["content"] for body in endpoint.bodies for turn in body["messages"] if turn["role"] == "user"]
    for one in made:
        (call,) = [call for call in one["calls"] if call["role"] == "teacher"]
        assert call["prompt"] in asked
        assert call["prompt"] == one["sample"]["recipe"]
        (task,) = json.loads(call["reply"])["tasks"]
        assert (task["question"], task["solution"]) == (
            one["sample"]["task"]["prompt"],
            one["sample"]["task"]["answer"],
        )
        assert [verdict["verifier"] for verdict in one["verdicts"]] == ["exact"]
    assert len({one["sample"]["task"]["prompt"] for one in made}) == 3
    assert [*tmp_path.iterdir(), *spare.iterdir()] == []


def test_judges_are_heard_where_no_program_decides(
    evolvent: Cli, endpoint: Teaching, tmp_path: Path, spare: Path
) -> None:
    plan = planning.plan(TAUGHT, models(endpoint.url)[1::2], seed=0, limit=None, allow_import=False)
    splits = Splits(plan.scenario, plan.parts.source, 0)
    rows = [
        {"prompt": task.prompt, "answer": task.answer, "skill": "sums"}
        for task in splits.draw("add-carry", "train", 900, stream="any")
    ]
    (tmp_path / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = '[source]\nname = "file"\npath = "sums.jsonl"\nprocedural = true\n'
    (tmp_path / "sums.toml").write_text(f'name = "sums"\nteacher = "llm"\n{source}[skills.sums]\n')
    said = evolvent("scenario", "preview", "sums.toml", "-n", "2", "--json", *models(endpoint.url))
    assert said.code == 0, said.err
    for one in records(said.out):
        assert [call["role"] for call in one["calls"]] == ["teacher", "judge", "judge"]
        assert {json.loads(call["reply"]).keys() >= {"verdict"} for call in one["calls"][1:]} == {True}
        assert one["critique"]["judge"] == "panel"
    shown = evolvent("scenario", "preview", "sums.toml", "-n", "1", *models(endpoint.url)).out
    assert [
        part for part in ("teacher is asked:", "judge is asked:", "reply:", "critique: ") if part not in shown
    ] == []


def test_what_models_say_cannot_reach_the_terminal(evolvent: Cli, endpoint: Teaching, spare: Path) -> None:
    endpoint.always = ""
    endpoint.rambles = True
    said = evolvent("scenario", "preview", TAUGHT, "-n", "1", *models(endpoint.url))
    assert said.code == 0, said.err
    assert "no reply: " in said.out
    assert "no sample came of it" in said.out


def test_a_skill_that_there_is_not_is_refused(evolvent: Cli) -> None:
    said = evolvent("scenario", "preview", MINI, "--skill", "add-cary")
    assert (said.code, said.out) == (2, "")
    assert "no such skill; there are: add-carry, add-plain, coin; did you mean 'add-carry'?" in said.err


def test_a_model_that_is_not_there_ends_a_preview_and_leaves_nothing(
    evolvent: Cli, tmp_path: Path, spare: Path
) -> None:
    said = evolvent("scenario", "preview", TAUGHT, *models("http://127.0.0.1:9/v1"))
    assert (said.code, said.out) == (4, "")
    assert [*tmp_path.iterdir(), *spare.iterdir()] == []


def test_what_is_written_is_told_from_defaults_and_from_sizes_that_were_fitted(evolvent: Cli, tmp_path: Path) -> None:
    rows = [{"prompt": f"say {n}", "answer": str(n), "skill": "say"} for n in range(900)]
    (tmp_path / "tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "say.toml").write_text(
        'name = "say"\ntrainer = "sft"\n[source]\nname = "file"\npath = "tasks.jsonl"\n[skills.say]\nguard = false\n'
        "[rounds]\nmost = 2\n[verifier]\nname = 'all_of'\nparts = ['exact', 'numeric']\n"
    )
    said = evolvent("scenario", "show", "say.toml", "--set", "gate.alpha=0.1", "--json")
    shown = json.loads(said.out)
    origins = {one["key"]: one["from"] for one in shown["settings"]}
    wanted = {
        "name": "written", "trainer.name": "written", "trainer.epochs": "default", "skills.say.guard": "written",
        "rounds.most": "written", "gate.alpha": "written", "gate.margin": "default", "splits.select": "fitted",
        "splits.probe": "default", "verifier.parts": "written", "student.engine.name": "default",
    }  # fmt: skip
    assert {key: origins[key] for key in wanted} == wanted
    (skill,) = shown["skills"]
    assert (skill["tasks"], skill["splits"].keys()) == (900, {"probe", "exam", "report", "train"})
    assert [(v["verifier"], v["score"]) for v in skill["example"]["verdicts"]] == [
        ("all_of", 1.0), ("exact", 1.0), ("numeric", 1.0),
    ]  # fmt: skip


def test_no_example_is_an_item_of_an_exam(evolvent: Cli) -> None:
    plan = planning.plan(MINI, [], seed=0, limit=None, allow_import=False)
    splits = Splits(plan.scenario, plan.parts.source, 0)
    shown = json.loads(evolvent("scenario", "show", MINI, "--json").out)
    examined = {task.prompt for split in ("select", "guard", "report") for task in splits.items(split)}
    assert examined
    assert not examined & {skill["example"]["prompt"] for skill in shown["skills"]}
    text = evolvent("scenario", "show", MINI).out
    assert 'written  name = "mini"\n' in text
    assert "default  gate.guard_alpha = 0.05\n" in text
    assert "example  add-plain: " in text


def test_a_rubric_is_asked_in_a_preview_and_said_to_be_asked_later_where_nothing_is_run(evolvent: Cli) -> None:
    taught = Teaching({"Grade an answer": generous})
    with serving(taught):
        graded = [*models(taught.url), "--set", "verifier=rubric"]
        said = evolvent("scenario", "preview", TAUGHT, "-n", "1", "--json", *graded)
        assert said.code == 0, said.err
        (made,) = records(said.out)
        (verdict,) = made["verdicts"]
        assert (verdict["verifier"], verdict["score"]) == ("rubric", 1.0)
        assert "judge" in {call["role"] for call in made["calls"]}
        asked = len(taught.bodies)
        shown = evolvent("scenario", "show", TAUGHT, *graded)
    assert "verdict  rubric: a judge is asked, in a session and in a preview" in shown.out
    assert len(taught.bodies) == asked
