import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from evolvent.memory.errors import PartError
from evolvent.memory.records import Task
from evolvent.memory.talk import Call, read_calls

from ..talking import WEATHER, talk_line, user
from .builders import make_source, write_file

ASKED = user("How warm is Rome?")
SAID = {"role": "assistant", "content": "20"}


def draw(folder: Path, *lines: str, skill: str = "call", **settings: Any) -> list[Task]:
    source = make_source("file", path=str(write_file(folder, *lines)), **settings)
    source.check(skill, {})
    return source.draw(skill, {}, 99, Random(0), allowed=lambda _: True)


def line(*turns: Any, tools: Any = (WEATHER,)) -> str:
    return json.dumps({"skill": "call", "messages": turns, "tools": tools})


def called(name: object = "get_weather", arguments: object = "{}", **more: object) -> dict[str, Any]:
    call = {"function": {"name": name, "arguments": arguments}, **more}
    return {"role": "assistant", "tool_calls": [call]}


def test_the_last_turn_is_the_reference_and_those_before_it_are_asked(tmp_path: Path) -> None:
    (task,) = draw(tmp_path, talk_line())
    assert task.talk is not None
    assert (task.talk.messages, task.talk.tools) == ((ASKED,), (WEATHER,))
    assert read_calls(task.answer) == ("", [Call("get_weather", {"city": "Rome"})])
    assert {"calls get_weather", "turns 1", "tools 1"} <= set(task.features)


def test_a_result_stays_with_its_call_under_ids_of_our_own(tmp_path: Path) -> None:
    (task,) = draw(tmp_path, talk_line(skill="tell"), skill="tell")
    assert task.talk is not None
    _, made, result = task.talk.messages
    assert made["tool_calls"][0]["function"]["arguments"] == {"city": "Rome"}
    assert (result["tool_call_id"], result["name"]) == (made["tool_calls"][0]["id"], "get_weather")
    assert (task.answer, "calls nothing" in task.features) == ("20", True)


def test_results_without_ids_answer_calls_in_their_order(tmp_path: Path) -> None:
    both = {"role": "assistant", "tool_calls": [*called()["tool_calls"], *called()["tool_calls"]]}
    results = [{"role": "tool", "content": str(i)} for i in range(2)]
    (task,) = draw(tmp_path, line(ASKED, both, *results, SAID))
    assert task.talk is not None
    assert [turn["tool_call_id"] for turn in task.talk.messages[2:]] == ["call00000", "call00001"]


def test_one_question_and_its_answer_is_a_task_like_any_other(tmp_path: Path) -> None:
    (task,) = draw(tmp_path, line(user("5+7"), {"role": "assistant", "content": "12"}, tools=None))
    assert (task.prompt, task.answer, task.talk) == ("5+7", "12", None)


def test_texts_in_parts_and_columns_that_are_json_are_read(tmp_path: Path) -> None:
    parted = {"role": "user", "content": [{"type": "text", "text": "How warm "}, {"type": "text", "text": "is Rome?"}]}
    row = {"skill": "call", "messages": json.dumps([parted, SAID]), "tools": json.dumps([WEATHER["function"]])}
    (task,) = draw(tmp_path, json.dumps(row))
    assert task.talk is not None
    assert (task.talk.messages, task.talk.tools) == ((ASKED,), (WEATHER,))


def test_a_table_gives_every_turn_all_fields_and_empty_ones_mean_nothing(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [json.loads(talk_line(city, skill="tell")) for city in ("Rome", "Oslo")]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "tasks.parquet")
    source = make_source("file", path=str(tmp_path / "tasks.parquet"))
    found = source.draw("tell", {}, 99, Random(0), allowed=lambda _: True)
    lines = draw(tmp_path, *map(json.dumps, rows), skill="tell")
    assert sorted(t.prompt for t in found) == sorted(t.prompt for t in lines)


def test_the_same_question_with_other_tools_is_another_task(tmp_path: Path) -> None:
    other = {"type": "function", "function": {"name": "search"}}
    tasks = draw(tmp_path, line(ASKED, SAID), line(ASKED, SAID, tools=[other]))
    assert len({task.key for task in tasks}) == 2


def test_a_conversation_is_not_made_of_what_somebody_wrote(tmp_path: Path) -> None:
    source = make_source("file", path=str(write_file(tmp_path, talk_line())))
    with pytest.raises(ValueError, match="drawn from the file and not written"):
        source.adopt("call", {}, "How warm is Oslo?", "20")


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (line(ASKED, SAID, ASKED), "the last turn is of 'user'; end with the assistant's"),
        (line(SAID), "messages has 1 turns; write a question and its answer"),
        (
            line(ASKED, {"role": "asistant", "content": "20"}),
            "turn 2 is of role 'asistant'; known: .* mean 'assistant'",
        ),
        (line(ASKED, called(arguments='{"city": ')), "turn 2 calls 'get_weather' with arguments .* JSON of an object"),
        (line(ASKED, called(arguments="[1]")), "turn 2 calls 'get_weather' with arguments"),
        (line(ASKED, called(arguments='{"city": "\\ud800"}')), "turn 2 calls 'get_weather' .* of whole characters"),
        (line(ASKED, called("get_wether")), "turn 2 calls 'get_wether', which tools does not hold; did you mean"),
        (line(ASKED, called(None)), "turn 2: .* is no call"),
        (line(ASKED, SAID, tools=[{"description": "?"}]), "tools holds .*, which has no name"),
        (line(ASKED, SAID, tools=[WEATHER, WEATHER]), "tools holds 'get_weather' twice"),
        (line(ASKED, SAID, tools="none"), "tools is 'none'; write a list, or its JSON"),
        (line(ASKED, {"role": "tool", "content": "20"}, SAID), "turn 2: the tool answers no call"),
        (line(ASKED, called(id="a"), {"role": "tool", "tool_call_id": "b", "content": "1"}, SAID), "answers call 'b'"),
        (line(user(""), {"role": "assistant", "content": " "}), "the last turn is empty"),
        (line({"role": "user", "content": [{"type": "image"}]}, SAID), "turn 1: content holds .*; only texts"),
        (line({"role": "user"}, SAID), "turn 1: content is None; write a text"),
        (line("hello", SAID), "turn 1 is 'hello'; write an object"),
        (line(user("\ud800"), SAID), "half a surrogate pair"),
    ],
)
def test_a_bad_line_is_named_with_its_turn(bad: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(PartError, match=rf"tasks\.jsonl:2: {said}|tasks\.jsonl:2: .*{said}"):
        draw(tmp_path, talk_line(), bad)
