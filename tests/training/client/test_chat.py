import contextlib
import json
from typing import Any

import pytest

from evolvent.memory.inference import Completion, Request
from evolvent.training.client.chat import Usage, compose, read
from evolvent.training.client.fault import Fault


def make_reply(finish: str = "stop", usage: Any = None, **message: Any) -> str:
    counts = {"prompt_tokens": 5, "completion_tokens": 7} if usage is None else usage
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return json.dumps({"model": "m", "choices": [choice], "usage": counts})


def test_a_plain_request_has_no_field_it_does_not_need() -> None:
    assert compose(Request("hi", 9), model="m") == {
        "model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 9, "temperature": 0.0
    }  # fmt: skip


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_reasoning_is_kept_apart_from_the_answer(field: str) -> None:
    completion, served = read(make_reply(content="4", **{field: "2+2"}))
    assert completion == Completion("4", 7, True, "2+2", "stop", 5)
    assert served == "m"


@pytest.mark.parametrize(("finish", "complete"), [("stop", True), ("length", False), ("content_filter", False)])
def test_how_an_answer_ended_says_whether_it_is_complete(finish: str, complete: bool) -> None:
    completion = read(make_reply(finish, content="4"))[0]
    assert (completion.finish, completion.complete) == (finish, complete)


def test_a_tool_call_is_an_answer_without_text() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    completion = read(make_reply("tool_calls", content=None, tool_calls=[call]))[0]
    assert (completion.text, completion.calls, completion.complete) == ("", (call,), True)


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": -1},
        {"completion_tokens": "7"},
        3,
        [],
        {"prompt_tokens": 1.5},
        {"prompt_tokens": 10**30},
        {"completion_tokens": True},
    ],
)
def test_a_reply_whose_tokens_cannot_be_counted_is_no_answer(usage: Any) -> None:
    with pytest.raises(Fault, match="not an answer of a model"):
        read(make_reply(content="4", usage=usage))


@pytest.mark.parametrize("text", ["", "null", "[]", '{"choices": 3}', '{"choices": [3]}', '{"choices": [{}]}'])
def test_anything_else_is_no_answer(text: str) -> None:
    with pytest.raises(Fault, match="not an answer of a model"):
        read(text)


@pytest.mark.parametrize("calls", [True, 7, "f", {"id": "1"}, ["f"], [None]])
def test_tool_calls_that_are_none_are_no_answer(calls: Any) -> None:
    with pytest.raises(Fault, match="not an answer of a model"):
        read(make_reply(content="4", tool_calls=calls))


def test_a_server_that_gives_another_number_of_samples_will_do_so_again() -> None:
    with pytest.raises(Fault, match="1 choices where 2 are due") as caught:
        read(make_reply(content="4"), samples=2)
    assert caught.value.remedy == "fail"


@pytest.mark.parametrize("message", [{"content": 7}, {"content": "4", "tool_calls": True}, {"content": "4"}])
def test_what_a_reply_cost_is_known_though_it_is_no_answer(message: Any) -> None:
    booked: list[Usage] = []
    with contextlib.suppress(Fault):
        read(make_reply(**message), book=booked.append)
    assert booked == [Usage(5, 7)]
