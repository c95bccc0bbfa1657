import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from evolvent.memory.errors import PartError
from evolvent.scenarios.feedback import SPELLINGS, thumb
from evolvent.scenarios.source import Source
from evolvent.scenarios.validation import validate

from .builders import make_scenario, make_source, make_splits, write_file


def log_line(prompt: str, response: str, feedback: Any = None, **values: Any) -> str:
    return json.dumps({"prompt": prompt, "response": response, "feedback": feedback, **values})


def make_logs(folder: Path, *lines: str, **settings: Any) -> Source:
    return make_source("logs", path=str(write_file(folder, *lines)), **settings)


def references(source: Source, **kind: Any) -> dict[str, str]:
    return {t.prompt: t.answer for t in source.draw("talk", kind, 100, Random(0), allowed=lambda _: True)}


def test_liked_answers_and_corrections_are_references_and_nothing_else_is(tmp_path: Path) -> None:
    source = make_logs(
        tmp_path,
        log_line("capital of Peru?", "Lima", "👍"),
        log_line("capital of Chile?", "Lima", "thumbs_down", correction="Santiago"),
        log_line("capital of Cuba?", "Lima", -1),
        log_line("capital of Mali?", "Bamako"),
    )
    assert references(source) == {"capital of Peru?": "Lima", "capital of Chile?": "Santiago"}
    (remark,) = source.remarks()
    assert "2 of 4 rows are tasks; left out: 1 disliked and not corrected, 1 without feedback" in remark


def test_what_users_disliked_can_be_taught_and_what_they_liked_guarded(tmp_path: Path) -> None:
    lines = [log_line(f"q {n}", "yes", "like") for n in range(5)]
    lines += [log_line(f"r {n}", "yes", False, correction="no") for n in range(3)]
    source = make_logs(tmp_path, *lines)
    assert [source.size("any", {"where": {"feedback": way}}) for way in ("up", "down")] == [5, 3]
    assert set(references(source, where={"feedback": "down"}).values()) == {"no"}
    (task, *_) = source.draw("any", {"where": {"feedback": "down"}}, 1, Random(0), allowed=bool)
    assert {"feedback down", "corrected"} <= set(task.features)


def test_an_answer_that_one_user_liked_and_another_disliked_is_no_reference(tmp_path: Path) -> None:
    lines = [log_line("q", "a", "up"), log_line("Q?", "a", "down"), log_line("q", "b", "up"), log_line("r", "c", "up")]
    source = make_logs(tmp_path, *lines)
    assert references(source) == {"q": "b", "r": "c"}
    assert "2 both liked and disliked" in source.remarks()[0]


def test_a_correction_goes_before_a_liked_answer_and_the_last_one_counts(tmp_path: Path) -> None:
    lines = [
        log_line("q", "a", "up"),
        log_line("q", "x", "down", correction="b"),
        log_line("q", "x", "down", correction="c"),
        log_line("q", "d", "up"),
    ]
    source = make_logs(tmp_path, *lines)
    assert references(source) == {"q": "c"}
    assert "1 of 4 rows are tasks; left out: 3 of a question that another row answers" in source.remarks()[0]


def test_a_correction_may_be_zero(tmp_path: Path) -> None:
    lines = [log_line("1-1?", "2", "down", correction=0), log_line("2-2?", "1", "down", correction=False)]
    assert references(make_logs(tmp_path, *lines)) == {"1-1?": "0"}


def test_conversations_end_with_the_answer_that_counts(tmp_path: Path) -> None:
    turns = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "capital of Chile?"}]
    said = {"role": "assistant", "content": "Lima"}
    lines = [
        json.dumps({"messages": [*turns, said], "feedback": "down", "correction": "Santiago"}),
        json.dumps({"messages": [turns[0], {"role": "user", "content": "Peru?"}], "response": "Lima", "feedback": 1}),
        json.dumps({"messages": [{"role": "user", "content": "hello"}, said], "feedback": True}),
    ]  # fmt: skip
    # columns that a row does not use are there and empty where a file has the same ones in every row
    lines[2] = json.dumps({**json.loads(lines[2]), "prompt": None})
    tasks = make_logs(tmp_path, *lines).draw("talk", {}, 9, Random(0), allowed=lambda _: True)
    assert sorted(t.answer for t in tasks) == ["Lima", "Lima", "Santiago"]
    assert sorted(len(t.talk.messages) if t.talk else 1 for t in tasks) == [1, 2, 2]


@pytest.mark.parametrize(("way", "spelling"), [(way, s) for way, spellings in SPELLINGS.items() for s in spellings])
def test_feedback_is_read_however_it_is_written(way: str, spelling: str) -> None:
    assert thumb(spelling) == thumb(f" {spelling.upper()} ") == way
    assert thumb(spelling.replace(" ", "_")) == way
    assert thumb(f":{spelling.replace(' ', '-')}:" if spelling[:1] not in "+-" else spelling) == way


def test_no_spelling_says_two_things() -> None:
    every = [spelling for spellings in SPELLINGS.values() for spelling in spellings]
    assert len(every) == len(set(every))
    assert [thumb(value) for value in (True, False, None, 1, -1, 1.0)] == ["up", "down", "", "up", "down", "up"]


def test_other_spellings_are_asked_for_and_can_be_named(tmp_path: Path) -> None:
    lines = [log_line("q", "a", 5), log_line("r", "a", 2), log_line("s", "a", 0, correction="b")]
    with pytest.raises(PartError, match=r"tasks\.jsonl:1: 'feedback' is 5, which says neither .* add it to source\.up"):
        make_logs(tmp_path, *lines).check("talk", {})
    assert references(make_logs(tmp_path, *lines, up=["5"], down=["2", "0"])) == {"q": "a", "s": "b"}


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (
            ['{"prompt": "q", "response": "a"}'],
            r"has no column 'feedback'; it has: prompt, response; name it in source",
        ),
        (['{"prompt": "q", "feedback": "up"}'], r":1 has no column 'response'; .*; name it in source\.response"),
        (['{"text": "q", "feedback": "up"}'], r":1 has no column 'prompt'; .*, and no turns in 'messages'"),
        ([log_line("q", "a", "down")], r"none of its 1 rows has a reference, .*: 1 disliked and not corrected"),
        ([log_line("", "a", "up")], r":1: 'prompt' is ''; write a text"),
        ([log_line("q", "", "up")], r":1: 'reference' is ''; write a text"),
        ([log_line("q", "a", "up", features=5)], r":1: 'features' is 5; write a list of texts"),
        ([log_line("q", "a", "up", features="abc")], r":1: 'features' is 'abc'; write a list of texts"),
        ([], r"none of its 0 rows has a reference.*: it is empty"),
    ],
)
def test_a_log_that_cannot_be_used_says_where_and_why(tmp_path: Path, lines: list[str], reason: str) -> None:
    with pytest.raises(PartError, match=reason):
        make_logs(tmp_path, *lines).check("talk", {})


def test_a_scenario_that_is_validated_says_what_was_left_out(tmp_path: Path) -> None:
    path = write_file(tmp_path, log_line("q", "a", "up"), log_line("r", "a", "down"))
    scenario = make_scenario(source={"name": "logs", "path": str(path)}, skills={"talk": {}})
    assert any("1 disliked and not corrected" in warning for warning in validate(make_splits(scenario)).warnings)
