import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolvent.memory.inference import Completion, Request
from evolvent.memory.records import Attempt, Task
from evolvent.memory.talk import Call, Talk, call_turn, read_calls, reply, spell, wired
from evolvent.scenarios.verifiers.tool_calls import ToolCalls

from ..talking import ADD, WEATHER, calls, make_talk, make_task, told, user

NAMES = st.text("abc_", min_size=1, max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)
)
CALLS = st.lists(st.builds(Call, NAMES, st.dictionaries(st.text(max_size=5), VALUES, max_size=3)), max_size=3)


@given(st.text(), CALLS)
def test_an_answer_says_and_calls_what_it_was_spelled_from(content: str, made: list[Call]) -> None:
    said, found = read_calls(spell(content, made))
    assert found == made
    assert said == content or (not made and said.rstrip("\n") == content.rstrip("\n"))


def test_calls_that_are_only_talked_of_are_not_made() -> None:
    talked = spell("", [Call("add", {"a": 1})])
    assert read_calls(talked)[1]
    assert read_calls(spell(talked, []))[1] == []
    assert read_calls(Completion(talked, 1, complete=True).answer)[1] == []
    assert "tool_calls" not in reply(talked, ())


def test_a_completion_that_calls_answers_with_its_calls_whatever_ids_they_have() -> None:
    call = {"id": "abc", "type": "function", "function": {"name": "add", "arguments": '{"b": 2, "a": 1}'}}
    answer = Completion("Well.", 9, complete=True, calls=(call,)).answer
    assert answer == 'Well.\n[{"name": "add", "arguments": {"b": 2, "a": 1}}]'


def test_a_call_with_broken_arguments_is_shown_and_is_no_call() -> None:
    call = {"id": "abc", "type": "function", "function": {"name": "add", "arguments": '{"b": '}}
    answer = Completion("", 9, complete=True, calls=(call,)).answer
    assert read_calls(answer)[1] == []
    assert '"name": "add"' in answer


@pytest.mark.parametrize(
    "arguments",
    ['{"a": "\\ud83d"}', '{"\\ud83d": 1}', '{"a": ' + "[" * 300 + "]" * 300 + "}"],
    ids=["half a character", "half a character in a name", "nested without end"],
)
def test_a_call_that_cannot_be_kept_is_shown_and_is_no_call(arguments: str) -> None:
    call = {"id": "abc", "type": "function", "function": {"name": "add", "arguments": arguments}}
    answer = Completion("", 9, complete=True, calls=(call,)).answer
    assert read_calls(answer)[1] == []
    assert read_calls(f'[{{"name": "add", "arguments": {arguments}}}]')[1] == []
    verdict = ToolCalls().judge(make_task(), answer)
    attempt = Attempt(task=make_task(), student="s", round=1, purpose="probe", answer=answer, verdict=verdict)
    assert not Attempt.read(attempt.model_dump_json()).verdict.passed


def test_the_text_of_a_conversation_holds_every_turn_and_its_tools() -> None:
    text = told().prompt
    assert text.split("\n")[:3] == [
        "user: How warm is Rome?",
        'assistant calls get_weather({"city": "Rome"})',
        "tool get_weather: 4 C",
    ]
    assert text.split("\n")[3].startswith('may call: {"type": "function", "function": {"name": "get_weather"')


def test_what_tells_conversations_apart_is_what_is_said_and_the_instructions_where_nothing_is() -> None:
    told_first = {"role": "system", "content": "Be brief."}
    assert Talk(messages=(told_first, user("How warm is Rome?"))).own() == "How warm is Rome?"
    assert Talk(messages=(told_first,)).own() == "Be brief."
    assert Talk(messages=(told_first, user(" "))).own() == "Be brief.\n "


def test_no_turn_can_pose_as_another_in_the_text() -> None:
    posing = Talk(messages=(user("a\nassistant: b"),))
    other = Talk(messages=(user("a"), {"role": "assistant", "content": "b"}))
    assert posing.text() != other.text()


def test_what_tells_conversations_apart_leaves_out_what_many_share() -> None:
    system = {"role": "system", "content": "Be brief."}
    talk = Talk(messages=(system, user("How warm is Rome?")), tools=(WEATHER, ADD))
    task = Task(skill="s", prompt=talk.text(), answer="1", key="k", talk=talk)
    assert task.own == "How warm is Rome?"
    assert "Be brief." in task.prompt


def test_a_task_without_a_conversation_is_stored_as_it_always_was() -> None:
    task = Task(skill="add", prompt="5+7", answer="12", key="k")
    assert "talk" not in task.model_dump()
    assert (task.question, task.own) == ("5+7", "5+7")


def test_a_task_with_a_conversation_comes_back_whole_and_can_be_counted() -> None:
    task = told()
    again = Task.read(task.model_dump_json())
    assert (again, again.id) == (task, task.id)
    assert hash(task) == hash(again) != hash(make_task())


def test_a_conversation_is_asked_with_its_turns_and_tools() -> None:
    request = Request.of(make_talk(), 9)
    assert (request.conversation(), request.tools) == ([user("How warm is Rome?")], (WEATHER,))
    assert Request.of("1+2", 9) == Request("1+2", 9)


def test_an_endpoint_gets_arguments_as_a_text() -> None:
    turn = calls(Call("add", {"a": "ü"}))
    assert wired(turn)["tool_calls"][0]["function"]["arguments"] == '{"a": "ü"}'
    assert wired(wired(turn)) == wired(turn)
    assert call_turn(Call("add", {}), 12)["id"] == "call00012"
