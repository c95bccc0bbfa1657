"""Evaluations of the user's own at their edges: names, bytes and files that are unlike the common ones."""

import asyncio
import json
from pathlib import Path

import pytest

from evolvent.memory.errors import EvolventError
from evolvent.scenarios.schema import Student
from evolvent.training.evaluation import Item, prompts, read
from evolvent.training.evaluations.inspect import Inspect
from evolvent.training.evaluations.lm_eval import LmEval
from evolvent.training.evaluations.program import Program
from evolvent.training.student import build


def items(path: Path, *lines: bytes) -> Path:
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def test_a_prompt_may_hold_what_only_some_readers_take_for_the_end_of_a_line(tmp_path: Path) -> None:
    line = json.dumps({"id": "a", "score": 1, "prompt": "one\u2028two\x85three"}, ensure_ascii=False).encode()
    path = items(tmp_path / "items.jsonl", line)
    assert read(path, where="own") == [Item("a", 1.0, "one\u2028two\x85three")]
    assert list(prompts(path)) == ["one\u2028two\x85three"]


def test_lines_may_end_as_on_windows(tmp_path: Path) -> None:
    path = items(tmp_path / "items.jsonl", b'{"id": 1, "score": 1}\r', b'{"id": 2, "score": 0}\r')
    assert [item.id for item in read(path, where="own")] == ["1", "2"]


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path: Path) -> None:
    path = items(tmp_path / "items.jsonl", b'{"id": 1, "score": 1}', b'{"id": 2, "score": 1, "prompt": "\xff"}')
    with pytest.raises(EvolventError, match="own: line 2 is "):
        read(path, where="own")


@pytest.mark.parametrize("line", ["[" * 100_000, '{"id": null, "score": 1}', '{"id": "\\ud800", "score": 1}'])
def test_a_line_that_no_record_could_hold_is_refused(line: str, tmp_path: Path) -> None:
    with pytest.raises(EvolventError, match="own: line 1 is "):
        read(items(tmp_path / "items.jsonl", line.encode()), where="own")


def test_a_program_that_ends_well_and_writes_nothing_is_refused(tmp_path: Path) -> None:
    student, folder = tmp_path / "student", tmp_path / "run"
    build(Student(hidden=16, heads=2, layers=1), student, seed=0)
    folder.mkdir()
    (tmp_path / "own.py").write_text("print('done')\n")
    with pytest.raises(EvolventError, match=r"own left no item at all"):
        asyncio.run(Program(path=str(tmp_path / "own.py")).run(student, folder, where="own"))


def test_a_folder_may_have_an_at_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "me@home"
    folder.mkdir()
    (folder / "own.py").touch()
    assert Program(path=f"{folder}/own.py").refusals(allowed=True) == []
    assert LmEval(task="x", path=str(folder), python="python3").refusals(allowed=True) == []
    for path in (f"{folder}/own.py", f"{folder}/own.py@mine"):
        inspected = Inspect(path=path, python="python3")
        assert inspected.refusals(allowed=True) == []
        assert inspected.rests_on()["path"]


def test_a_python_that_is_named_does_not_hide_that_the_file_is_missing(tmp_path: Path) -> None:
    assert "there is no" in Program(path=str(tmp_path / "none.py"), python="python3").refusals(allowed=True)[0]


@pytest.mark.parametrize(
    "task", ["evals.py", "evals.py@mine", "here/evals.py@mine", "./evals", ".", "*", "hf/someone/something", "a b/c"]
)
def test_the_name_of_an_installed_task_is_no_way_to_run_a_file(task: str) -> None:
    (why,) = Inspect(task=task, python="").refusals(allowed=False)
    assert "the name of an installed task is PACKAGE/TASK" in why


def test_a_folder_of_tasks_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    task = tmp_path / "inner" / "own.yaml"
    task.write_text("task: own")
    before = LmEval(task="own", path=str(tmp_path)).rests_on()
    task.write_text("task: other")
    assert before != LmEval(task="own", path=str(tmp_path)).rests_on() != {}
    assert LmEval(task="arc_easy").rests_on() == {}
