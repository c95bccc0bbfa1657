"""Rows as people have them are read and written back."""

from typing import Any

import pytest

from evolvent.memory.errors import PartError
from evolvent.memory.talk import Talk
from evolvent.scenarios.shapes import shape_of

TURNS = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}]
ROWS: list[tuple[dict[str, Any], str, str]] = [
    ({"prompt": "2+2", "completion": "4"}, "2+2", "4"),
    ({"question": "2+2", "answer": 4}, "2+2", "4"),
    ({"instruction": "add", "input": "2 and 2", "output": "4"}, "add\n\n2 and 2", "4"),
    ({"instruction": "say hi", "input": "", "output": "hi"}, "say hi", "hi"),
    ({"messages": TURNS}, "hello", "hi"),
    ({"prompt": TURNS[:1], "completion": TURNS[1:]}, "hello", "hi"),
    ({"conversations": [{"from": "human", "value": "hello"}, {"from": "gpt", "value": "hi"}]}, "hello", "hi"),
    ({"text": "once upon a time"}, "", "once upon a time"),
]


@pytest.mark.parametrize(
    ("values", "question", "answer"), ROWS, ids=lambda v: "/".join(v) if isinstance(v, dict) else ""
)
def test_usual_columns_are_found_by_themselves(values: dict[str, Any], question: str, answer: str) -> None:
    assert shape_of(values, where="f").read("line 1", values) == (question, answer)


@pytest.mark.parametrize("values", [row[0] for row in ROWS], ids=lambda v: "/".join(v))
def test_a_new_answer_is_found_where_the_old_one_was(values: dict[str, Any]) -> None:
    shape = shape_of(values, where="f")
    new = shape.write(values, question=None, answer="better")
    assert shape.read("line 1", new).answer == "better"
    assert shape.read("line 1", new).question == shape.read("line 1", values).question
    assert set(new) == set(values)


def test_a_new_question_takes_the_place_of_instruction_and_input() -> None:
    values = {"instruction": "add", "input": "2 and 2", "output": "4"}
    new = shape_of(values, where="f").write(values, question="add 2 and 2", answer=None)
    assert shape_of(new, where="f").read("line 1", new) == ("add 2 and 2", "4")


def test_a_conversation_with_a_system_turn_stays_one() -> None:
    values = {"messages": [{"role": "system", "content": "be brief"}, *TURNS]}
    question = shape_of(values, where="f").read("line 1", values).question
    assert isinstance(question, Talk)
    assert len(question.messages) == 2


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"prompt": "", "completion": "4"}, "'prompt' is empty"),
        ({"prompt": "2+2", "completion": None}, "'completion' is NoneType, not a text"),
        ({"conversations": [{"from": "martian", "value": "x"}]}, "turn 1 is from 'martian'; known: human"),
    ],
)
def test_a_row_that_cannot_be_read_names_the_column(values: dict[str, Any], said: str) -> None:
    with pytest.raises(PartError, match=said):
        shape_of(values, where="f").read("line 1", values)


def test_columns_nobody_knows_are_listed() -> None:
    with pytest.raises(PartError, match=r"it has: foo, bar; name them with --prompt and --answer"):
        shape_of({"foo": 1, "bar": 2}, where="f")
    with pytest.raises(PartError, match=r"has no column 'baz'"):
        shape_of({"foo": 1, "bar": 2}, where="f", question="baz", answer="bar")
    assert shape_of({"foo": 1, "bar": 2}, where="f", question="foo", answer="bar").read("", {"foo": "a", "bar": "b"})
