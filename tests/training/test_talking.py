"""Conversations and tools on their way into a student and out of it."""

import asyncio
import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from evolvent.memory.inference import Request
from evolvent.memory.parts import PartSpec, known, load
from evolvent.memory.talk import Call, call_turn, read_calls, spell
from evolvent.scenarios.verifiers.tool_calls import ToolCalls
from evolvent.training.calling import Calling
from evolvent.training.engines.openai import OpenAI
from evolvent.training.engines.transformers import Transformers
from evolvent.training.exam import sit
from evolvent.training.manner import Manner
from evolvent.training.reading import Characters, Elsewhere
from evolvent.training.trainer import Trainer, read_rows, write_rows
from evolvent.training.trainers.sft import Sft
from evolvent.training.tries import Try, read_tries, write_tries
from evolvent.training.wording import Wording

from ..endpoint import MODEL, Endpoint, serving
from ..talking import ADD, CITIES, TOOLED, WEATHER, make_talk, make_task, told
from .brought import CHATML, adopt, make_model, make_tokenizer

PACKAGE = "evolvent.training.trainers"
SAID = "{{ {'name': c.function.name, 'arguments': c.function.arguments} | tojson }}"
MARKED = "<tool_call>\n" + SAID + "\n</tool_call>"
BARE = TOOLED.replace(MARKED, SAID.replace("'arguments'", "'parameters'"))
LISTED = TOOLED.replace(
    MARKED + "{% if not loop.last %}\n{% endif %}",
    "{% if loop.first %}[TOOL_CALLS] [{% endif %}" + SAID + "{% if loop.last %}]{% else %}, {% endif %}",
)
MARKUP = TOOLED.replace(SAID, "<function={{ c.function.name }}>")
TWO = [Call("get_weather", {"city": "Rome"}), Call("add", {"a": [1], "b": "}"})]


class Caller(Endpoint):
    """Calls for the weather of Rome, whatever it is asked."""

    def reply(self, body: dict[str, Any]) -> dict[str, Any]:
        whole = super().reply(body)
        function = {"name": "get_weather", "arguments": '{ "city":"Rome" }'}
        calls = [{"id": "chatcmpl-tool-1", "type": "function", "function": function}]
        message = {"role": "assistant", "content": None, "tool_calls": calls}
        return {**whole, "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}


def make_wording(template: str = TOOLED) -> Wording:
    return Wording(make_tokenizer(template=template))


def make_tasks() -> list[Any]:
    return [task for city in CITIES for task in (make_task(city), told(city))]


def prepare(folder: Path) -> Path:
    """Put rows of both kinds, tries and a base that knows tools into a folder; give the base."""
    tasks = make_tasks()
    write_rows(folder, [(t.id, t.prompt, t.answer) for t in tasks], tasks=tasks)
    write_tries(folder, [Try(t.id, t.question, t.answer, "?", 0.0, "?") for t in tasks])
    return adopt(make_model(folder / "came", template=TOOLED, positions=512), folder / "base")


@pytest.mark.parametrize("task", [make_task(), told(), make_task(answer="No idea.")], ids=["calls", "told", "says"])
def test_a_conversation_is_asked_and_answered_as_the_template_has_it(task: Any) -> None:
    wording = make_wording()
    (turn,) = wording.turns([(task.question, task.answer)])
    request = Request.of(task.question, 9)
    assert turn.prompt == wording.prompt(request.conversation(), request.tools)
    text = wording.tokenizer.decode([*turn.prompt, *turn.answer])
    assert '"name": "get_weather", "parameters"' in text
    assert text.endswith("<|im_end|>")
    assert wording.said(turn.answer, request.tools).answer == task.answer


@pytest.mark.parametrize(
    ("template", "content"),
    [(TOOLED, ""), (TOOLED, "Gladly."), (BARE, ""), (LISTED, ""), (LISTED, "Gladly.")],
    ids=["marked", "marked after a text", "bare", "listed", "listed after a text"],
)
def test_calls_are_read_back_in_whatever_json_the_template_writes_them(template: str, content: str) -> None:
    wording, talk = make_wording(template), make_talk(tools=(WEATHER, ADD))
    answer = spell(content, TWO[:1] if template == BARE else TWO)
    assert wording.refusal(talk, answer) is None
    (turn,) = wording.turns([(talk, answer)])
    assert wording.said(turn.answer, talk.tools).answer == answer


@pytest.mark.parametrize(
    ("name", "eos", "manner"),
    [
        ("qwen2_5", "<|im_end|>", {}),
        ("qwen3", "<|im_end|>", {"reasoning": ("<think>", "</think>")}),
        ("qwen3", "<|im_end|>", {"template": {"enable_thinking": False}}),
        ("llama3_1", "<|eot_id|>", {"template": {"date_string": "26 Jul 2024"}}),
    ],
    ids=["Qwen2.5", "Qwen3 thinking", "Qwen3", "Llama 3.1"],
)
def test_templates_of_well_known_models_take_conversations(name: str, eos: str, manner: dict[str, Any]) -> None:
    """TRL ships the templates."""
    spec = find_spec("trl")
    assert spec is not None
    templates = Path(str(spec.origin)).parent / "chat_templates"
    tokenizer = make_tokenizer(template=(templates / f"{name}.jinja").read_text())
    tokenizer.add_special_tokens({"eos_token": eos, "bos_token": "<s>"})
    wording = Wording(tokenizer, Manner.model_validate(manner))
    for task in (make_task(), told()):
        assert wording.refusal(task.question, task.answer) is None
        (turn,) = wording.turns([(task.question, task.answer)])
        assert wording.said(turn.answer, (WEATHER,)).answer == task.answer


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "add", "arguments": {}}',
        '<tool_call>\n{"name": "add", "arguments": {}}',
        '<tool_call>\n{"name": "add", "arguments": {}\n</tool_call>',
        '<tool_call>\n{"name": "add", "arguments": []}\n</tool_call>',
        '<tool_call>\n{"arguments": {}}\n</tool_call>',
        '<tool_call>\n{"name": "add", "arguments": {}}\n</tool_call> and more',
        "",
    ],
)
def test_what_the_template_would_not_write_is_no_call(text: str) -> None:
    assert Calling("<tool_call>", "</tool_call>").read(text) is None


def test_a_student_that_writes_our_own_spelling_of_a_call_has_called_nothing() -> None:
    wording, task = make_wording(), make_task()
    tokens = wording.tokenizer(task.answer)["input_ids"]
    assert read_calls(wording.said(tokens, (WEATHER,)).answer)[1] == []
    assert not ToolCalls().judge(task, wording.heard(task.answer, (WEATHER,))).passed


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (CHATML, "leaves tools away, such as 'get_weather'"),
        (MARKUP, "writes calls of tools in no JSON"),
        ("{{ raise_exception('one turn only') }}", "refuses a conversation .*one turn only"),
    ],
    ids=["no tools", "markup", "refuses"],
)
def test_a_student_whose_template_cannot_do_it_is_refused_with_the_reason(template: str, said: str) -> None:
    task = make_task()
    assert re.search(said, str(make_wording(template).refusal(task.question, task.answer)))


def test_the_embedded_student_takes_no_conversation_and_an_endpoint_any() -> None:
    task = make_task()
    assert "name a model in student.model" in str(Characters().refusal(task.question, task.answer))
    assert Characters().refusal("1+2", "3") is None
    elsewhere = Elsewhere()
    assert (elsewhere.refusal(task.question, task.answer), elsewhere.unreadable("ü")) == (None, None)
    assert elsewhere.length(task.question, task.answer) == 0


def test_an_answer_is_as_long_as_the_template_makes_it() -> None:
    wording, task = make_wording(), make_task()
    (turn,) = wording.turns([(task.question, task.answer)])
    assert wording.answer_length(task.question, task.answer) == len(turn.answer)


def test_rows_and_tries_come_back_with_their_conversations(tmp_path: Path) -> None:
    tasks = [make_task(), make_task().model_copy(update={"talk": None, "prompt": "How warm is it?"})]
    write_rows(tmp_path, [(t.id, t.prompt, t.answer) for t in tasks], tasks=tasks)
    assert read_rows(tmp_path) == [(t.question, t.answer) for t in tasks]
    tries = [Try(t.id, t.question, t.answer, "?", 0.0, None) for t in tasks]
    write_tries(tmp_path, tries)
    assert read_tries(tmp_path) == tries


def test_an_endpoint_gets_turns_and_tools_and_its_calls_are_the_answer(tmp_path: Path) -> None:
    with serving(Caller()) as endpoint:
        engine = OpenAI.model_validate({"base_url": endpoint.url, "model": MODEL}).open(tmp_path)
        marks = asyncio.run(sit(engine, [make_task(), told()], ToolCalls(), longest=128))
        engine.close()
    assert marks == [1.0, 0.0]
    (body,) = (body for body in endpoint.bodies if len(body["messages"]) == 3)
    assert body["tools"] == [WEATHER]
    (call,) = body["messages"][1]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"city": "Rome"}
    assert body["messages"][2] == {"role": "tool", "name": "get_weather", "tool_call_id": call["id"], "content": "4 C"}


@pytest.mark.slow
def test_rows_with_tools_are_tokenized_as_trl_does(tmp_path: Path) -> None:
    from datasets import Dataset
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    from evolvent.agents.exports.talking import trl
    from evolvent.training import checkpoint
    from evolvent.training.packed import tokenize

    model, tokenizer = checkpoint.load(prepare(tmp_path))
    rows = read_rows(tmp_path)
    theirs = [trl(question, answer) for question, answer in rows if not isinstance(question, str)]
    config = SFTConfig(output_dir=str(tmp_path / "trl"), max_length=None, bf16=False, use_cpu=True, report_to="none")
    data = Dataset.from_list(theirs, on_mixed_types="use_json")
    made: Any = SFTTrainer(model=model, args=config, train_dataset=data, processing_class=tokenizer).train_dataset
    ours: Any = tokenize(Wording(tokenizer), rows)
    for own, other in zip(ours, made, strict=True):
        # TRL also teaches the line break that the template puts after a turn, and that is never said
        end = len(own["input_ids"])
        assert (own["input_ids"], own["labels"]) == (other["input_ids"][:end], other["labels"][:end])
        assert len(other["input_ids"]) == end + 1


@pytest.mark.slow
def test_a_student_learns_to_call_and_to_answer_with_what_came_back(tmp_path: Path) -> None:
    base, tasks = prepare(tmp_path), make_tasks()[:8]
    before = asyncio.run(sit(Transformers().open(base), tasks, ToolCalls(), longest=128))
    Sft(batch=16, learning_rate=5e-3, most_steps=200).train(tmp_path, start=base, seed=0, steps=120)
    engine = Transformers().open(tmp_path / "model")
    after = asyncio.run(sit(engine, tasks, ToolCalls(), longest=128))
    assert (sum(before), sum(after)) == (0, len(tasks))
    (completion,) = asyncio.run(engine.answer([Request.of(make_task().question, 128)]))
    assert (completion.text, completion.calls) == ("", (call_turn(Call("get_weather", {"city": "Rome"}), 0),))


@pytest.mark.slow
@pytest.mark.parametrize("name", known(PACKAGE))
def test_every_trainer_takes_conversations(name: str, tmp_path: Path) -> None:
    base = prepare(tmp_path)
    settings: dict[str, Any] = {"batch": 8, "learning_rate": 1e-3}
    if name == "distill":
        settings["teacher"] = make_model(tmp_path / "teacher", seed=1, template=TOOLED, positions=512)
    trainer = load(PartSpec(name=name, settings=settings), base=Trainer, package=PACKAGE, where="test")
    assert trainer.train(tmp_path, start=base, seed=0, steps=2, verifier=ToolCalls()).steps == 2
