"""Evaluations of the user's own: what they may run, what they leave, and how they end."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from evolvent.memory.errors import EvolventError
from evolvent.scenarios.schema import Student
from evolvent.training.evaluation import Item, left, prompts, read
from evolvent.training.evaluations.inspect import Inspect
from evolvent.training.evaluations.lm_eval import LmEval
from evolvent.training.evaluations.program import Program
from evolvent.training.student import build


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "student"
    build(Student(hidden=16, heads=2, layers=1), folder, seed=0)
    return folder


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Program]:
    def write(body: str, **settings: float) -> Program:
        path = tmp_path / "own.py"
        path.write_text(f"import json, os, sys, time\n{body}\n")
        return Program(path=str(path), **settings)  # type: ignore[arg-type]  # settings are numbers

    return write


def run(evaluation: Program, student: Path, folder: Path) -> list[Item]:
    folder.mkdir(exist_ok=True)
    return asyncio.run(evaluation.run(student, folder, where="evaluations.own"))


def test_a_program_gets_a_student_that_transformers_can_load_and_its_items_are_read(
    program: Callable[[str], Program], student: Path, tmp_path: Path
) -> None:
    body = (
        "held = sorted(os.listdir(sys.argv[1]))\n"
        "assert {'config.json', 'model.safetensors', 'tokenizer.json'} <= set(held), held\n"
        "open(sys.argv[2], 'w').write(json.dumps({'id': 'b', 'score': 0.5, 'prompt': 'why?'}) + '\\n'"
        " + json.dumps({'id': 'a', 'score': 1}) + '\\n')"
    )
    assert run(program(body), student, tmp_path / "run") == [Item("a", 1.0), Item("b", 0.5, "why?")]
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["items.jsonl", "log.txt"]


def test_a_program_that_fails_after_some_items_has_scored_nothing(
    program: Callable[[str], Program], student: Path, tmp_path: Path
) -> None:
    body = "open(sys.argv[2], 'w').write('{\"id\": 1, \"score\": 1}\\n')\nsys.exit('no more memory')"
    with pytest.raises(EvolventError, match=r"evaluations\.own failed; its log .* ends with: no more memory"):
        run(program(body), student, tmp_path / "run")
    assert not left(tmp_path / "run"), "the next try starts over"


def test_a_program_that_takes_too_long_is_ended_with_all_that_it_started(
    student: Path, program: Callable[..., Program], tmp_path: Path
) -> None:
    body = "import subprocess\nsubprocess.Popen(['sleep', '600'])\nopen('/dev/null')\ntime.sleep(600)"
    with pytest.raises(EvolventError, match=r"evaluations\.own was not done after 1 s"):
        run(program(body, seconds=1.0), student, tmp_path / "run")
    assert not left(tmp_path / "run")


@pytest.mark.parametrize(
    "line",
    [
        "", "nothing", "7", "[]", '{"id": 1}', '{"score": 1}', '{"id": 1, "score": "1"}', '{"id": 1, "score": 1.5}',
        '{"id": 1, "score": NaN}', '{"id": 1, "score": null}', '{"id": 0, "score": 1}',
    ],
)  # fmt: skip
def test_a_line_that_is_no_item_is_refused_with_its_number(line: str, tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text(f'{{"id": 0, "score": 1}}\n{line}\n')
    with pytest.raises(EvolventError, match=r"own: line 2 is "):
        read(path, where="own")


def test_a_prompt_may_hold_what_other_programs_take_for_the_end_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    path.write_bytes('{"id": "a",\r "score": 1, "prompt": "one\u2028two\x85three"}\r\n{"id": "b", "score": 0}'.encode())
    assert [item.prompt for item in read(path, where="mine")] == ["one\u2028two\x85three", ""]
    assert list(prompts(path)) == ["one\u2028two\x85three"]


def test_a_program_that_writes_no_file_of_items_or_none_of_utf_8_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    with pytest.raises(EvolventError, match="mine left no item at all"):
        read(path, where="mine")
    path.write_bytes(b'{"id": "a", "score": 1, "prompt": "\xe9"}\n')
    with pytest.raises(EvolventError, match=r"mine: line 1 is"):
        read(path, where="mine")
    path.write_text('{"id": "a", "score": ' + "[" * 100_000)
    with pytest.raises(EvolventError, match=r"mine: line 1 is"):
        read(path, where="mine")


def test_no_items_at_all_are_refused(tmp_path: Path) -> None:
    (tmp_path / "items.jsonl").touch()
    with pytest.raises(EvolventError, match="own left no item at all"):
        read(tmp_path / "items.jsonl", where="own")


def test_code_of_the_users_own_runs_only_where_it_was_allowed(tmp_path: Path) -> None:
    (tmp_path / "own.py").touch()
    own = Program(path=str(tmp_path / "own.py"))
    assert "allow it with --allow-import" in own.refusals(allowed=False)[0]
    assert own.refusals(allowed=True) == []
    assert "allow it" in LmEval(task="arc_easy", path=str(tmp_path)).refusals(allowed=False)[0]
    assert "allow it" in LmEval(task="arc_easy", python="python3").refusals(allowed=False)[0]
    assert "allow it" in Inspect(path=f"{tmp_path}/own.py@mine").refusals(allowed=False)[0]


def test_what_is_not_there_is_said_with_the_way_out(tmp_path: Path) -> None:
    assert "there is no" in Program(path=str(tmp_path / "none.py")).refusals(allowed=True)[0]
    assert "there is no Python 'none/python'" in LmEval(task="x", python="none/python").refusals(allowed=True)[0]
    assert "needs either path" in Inspect().refusals(allowed=True)[0]
    assert "needs either path" in Inspect(path="a.py", task="b").refusals(allowed=True)[0]


def test_a_limit_is_passed_on() -> None:
    assert Program(path="own.py").command(Path("s"), Path("o"), 7)[-2:] == ["--limit", "7"]
    assert json.loads(LmEval(task="arc_easy").command(Path("s"), Path("o"), 7)[-1])["limit"] == 7
    assert json.loads(Inspect(task="arc").command(Path("s"), Path("o"), None)[-1])["limit"] is None
