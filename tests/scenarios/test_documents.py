import json
import time
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolvent.memory.errors import PartError
from evolvent.memory.records import Task
from evolvent.scenarios.fields import FIELDS, field
from evolvent.scenarios.forms import Form, schema, size
from evolvent.scenarios.source import Source, identity

from .builders import FORMS, make_source, make_verifier


def made(**form: Any) -> Source:
    return make_source("documents", forms={"talk": form})


def every(source: Source, count: int = 200) -> list[Task]:
    return source.draw("talk", {}, count, Random(0), allowed=lambda _: True)


@given(st.sampled_from(sorted(FIELDS)), st.integers(0, 10**6))
def test_every_way_of_writing_a_value_is_read_back_to_it(kind: str, seed: int) -> None:
    import re

    field = FIELDS[kind]
    value = field.draw(Random(seed))
    for way, said in field.ways(value).items():
        assert re.fullmatch(field.pattern, said), way
        assert field.read(said) == value, way


@pytest.mark.parametrize(
    ("kind", "said", "value"),
    [
        ("amount", "1,250.50", 1250.5),
        ("amount", "1.250,50", 1250.5),
        ("amount", "1250,00", 1250),
        ("amount", "0.07", 0.07),
        ("count", "twelve", 12),
        ("count", "12", 12),
        ("date", "4 March 2024", "2024-03-04"),
        ("date", "March 4, 2024", "2024-03-04"),
        ("date", "4.3.2024", "2024-03-04"),
        ("items", "pens, mugs & hats", ["pens", "mugs", "hats"]),
        ("items", "pens and mugs", ["pens", "mugs"]),
        ("items", "pens", ["pens"]),
    ],
)
def test_a_value_is_what_it_is_in_json_however_it_is_written(kind: str, said: str, value: Any) -> None:
    assert FIELDS[kind].read(said) == value
    assert said in FIELDS[kind].ways(value).values()


@pytest.mark.parametrize("kind", ["amount", "count", "date"])
@pytest.mark.parametrize("digits", [20, 400, 5000])
def test_a_number_of_more_digits_than_a_number_keeps_is_no_value_of_a_document(kind: str, digits: int) -> None:
    source = made(texts=["It says {it}."], fields={"it": kind})
    for said in (f"{'9' * digits}.25", "9" * digits, f"4 March {'9' * digits}", f"{'9' * digits}.3.2024"):
        prompt = f"It says {said}."
        assert source.adopt("talk", {}, prompt, "{}").key == identity(prompt), "in words of their own"


def test_what_a_text_does_not_mention_is_null_and_may_be_null_nowhere_else() -> None:
    texts = ("{name} called from {city}.", "{name} called.")
    source = made(texts=texts, fields={"name": "person", "city": "city"})
    said = [json.loads(task.answer) for task in every(source)]
    assert {answer["city"] is None for answer in said} == {True, False}
    assert all(isinstance(answer["name"], str) for answer in said)
    assert all(("no city" in task.features) == ('"city":null' in task.answer) for task in every(source))
    properties = schema(Form(texts=texts, fields={"name": "person", "city": "city"}))["properties"]
    assert properties == {"name": {"type": "string"}, "city": {"type": ["string", "null"]}}


def test_a_field_with_a_dot_is_inside_another() -> None:
    source = made(texts=["{to.name} in {to.at.city} gets {what}"], fields={
        "what": ["pens", "ink"], "to.name": "person", "to.at.city": "city"
    })  # fmt: skip
    task = every(source, 1)[0]
    answer = json.loads(task.answer)
    assert [*answer] == ["what", "to"]
    assert task.prompt == f"{answer['to']['name']} in {answer['to']['at']['city']} gets {answer['what']}"
    inner = json.loads(task.checks)["properties"]["to"]["properties"]["at"]
    assert inner == {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
        "additionalProperties": False,
    }  # fmt: skip


def test_the_verifier_takes_what_a_document_says_and_nothing_else() -> None:
    source, verifier = make_source("documents", forms=FORMS), make_verifier("json_schema")
    for task in every(source, 40):
        assert verifier.judge(task, json.dumps(json.loads(task.answer), indent=1)).passed
        answer = json.loads(task.answer)
        assert not verifier.judge(task, json.dumps({**answer, "more": 1})).passed
        assert not verifier.judge(task, json.dumps({name: answer[name] for name in [*answer][1:]})).passed
        assert not verifier.judge(task, json.dumps({**answer, "name": "Somebody Else"})).passed


def test_two_ways_of_writing_a_document_are_one_task() -> None:
    source = make_source("documents", forms=FORMS)
    keys = {
        source.adopt("talk", {}, text, "").key
        for text in ("Ada Fox owes 1,250.50 for pens.", "Ada Fox owes 1250,50 for pens.", "1.250,50 from Ada Fox: pens")
    }
    assert keys == {'talk: {"name":"Ada Fox","total":1250.5,"items":["pens"]}'}


def test_a_document_that_may_say_two_things_is_not_drawn() -> None:
    forms = {
        "talk": {"texts": ["{a} to {b}"], "fields": {"a": ["x", "x to x"], "b": ["x", "y"]}},
        "other": {"texts": ["{b} to {a}"], "fields": {"a": ["x", "z"], "b": ["x", "y"]}},
    }
    assert {task.prompt for task in every(make_source("documents", forms=forms), 20)} == {
        "x to y",
        "x to x to y",
        "x to x to x",
    }


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("{a} {b}", {"a": ["x", "x y"], "b": ["y z", "z"]}),
        ("{a} and {b}", {"a": "items", "b": "items"}),
    ],
)
def test_a_document_of_one_text_that_can_be_taken_apart_in_two_ways_is_not_drawn(
    text: str, fields: dict[str, Any]
) -> None:
    source = made(texts=[text], fields=fields)
    tasks = {task.prompt: task.answer for task in every(source, 100)}
    assert len(tasks) > 1
    said: dict[str, set[str]] = {}
    for one, other in product(*(written(kind) for kind in fields.values())):
        said.setdefault(text.format(a=one[0], b=other[0]), set()).add(json.dumps([one[1], other[1]]))
    twice = [prompt for prompt, meant in said.items() if len(meant) > 1]
    assert twice
    assert tasks.keys().isdisjoint(twice)
    assert all(source.solve(Task(skill="talk", key="k", prompt=prompt, answer="")) is None for prompt in twice)


def test_a_long_text_that_can_be_taken_apart_in_no_way_is_given_up_at_once() -> None:
    source = made(texts=["{a}, {b}, {c}, {d}, {e}!"], fields=dict.fromkeys("abcde", "items"))
    since = time.perf_counter()
    assert source.solve(Task(skill="talk", key="k", prompt=", ".join(["pens"] * 300), answer="")) is None
    assert time.perf_counter() - since < 2


def written(kind: Any) -> list[tuple[str, Any]]:
    """Some ways of writing some values."""
    few: dict[str, list[Any]] = {"items": [["pens"], ["mugs"], ["mugs", "pens"], ["pens", "mugs"]]}
    return [(text, value) for value in (few.get(str(kind)) or kind) for text in field(kind).ways(value).values()]


def test_documents_are_counted_by_what_they_can_say() -> None:
    form = Form(texts=("{a} {b}", "{b} {a}!", "{a}"), fields={"a": ("x", "y"), "b": ("u", "v", "w")})
    assert size(form) == 2 * 3 + 2
    source = made(texts=form.texts, fields={"a": ["x", "y"], "b": ["u", "v", "w"]})
    assert len({task.key for task in every(source, 50)}) == 8


def test_a_form_named_twice_counts_once() -> None:
    source = make_source("documents", forms=FORMS)
    once, twice = (source.size("talk", {"forms": forms}) for forms in (["short"], ["short", "short"]))
    assert once == twice


def test_a_document_in_words_of_their_own_is_held_to_its_schema() -> None:
    source = make_source("documents", forms=FORMS)
    adopted = source.adopt("talk", {}, "Ada still has to pay 3 euros!", '{"name":"Ada"}')
    assert json.loads(adopted.checks)["required"] == ["name", "total", "items"]
    with pytest.raises(ValueError, match="is no task of skill 'short'"):
        source.adopt("short", {}, "Ada Fox owes 2.50 for pens.", "")


def test_a_document_in_words_of_their_own_is_the_task_that_says_the_same() -> None:
    source = make_source("documents", forms=FORMS)
    drawn = source.adopt("talk", {}, "Ada Fox owes 1,250.50 for pens.", "")
    for answer in ('{"total": 1250.50, "items": ["pens"], "name": "Ada Fox"}', f"```json\n{drawn.key[6:]}\n```"):
        own = source.adopt("talk", {}, "Pens! Ada Fox has 1250.5 to pay for them.", answer)
        assert (own.key, own.answer) == (drawn.key, answer)
    assert source.holds(drawn.key)
    whole = source.adopt("talk", {}, "Ada Fox owes 4,00 for pens.", "")
    assert source.adopt("talk", {}, "Four.", '{"items":["pens"],"name":"Ada Fox","total":4.0}').key == whole.key


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "no JSON",
        "[1]",
        '{"name":"Ada Fox"}',
        '{"name":"Ada Fox","total":3,"items":["pens"],"more":1}',
        '{"name":"Zed Zed","total":3,"items":["pens"]}',
        '{"name":null,"total":3,"items":["pens"]}',
        '{"name":"Ada Fox","total":true,"items":["pens"]}',
        '{"name":"Ada Fox","total":1e999,"items":["pens"]}',
        '{"name":"Ada Fox","total":0.001,"items":["pens"]}',
        '{"name":"Ada Fox","total":3,"items":[]}',
        '{"name":"Ada Fox","total":3,"items":[["pens"]]}',
        '{"name":["Ada Fox"],"total":3,"items":"pens"}',
    ],
)
def test_a_document_in_words_of_their_own_that_says_what_none_says_is_in_no_exam(answer: str) -> None:
    source = make_source("documents", forms=FORMS)
    own = source.adopt("talk", {}, "Ada still has to pay 3 euros!", answer)
    assert own.key == identity("Ada still has to pay 3 euros!")
    assert not source.holds(own.key)


@pytest.mark.parametrize("day", ["2024-02-30", "2024-13-01", "2024-00-01", "0000-01-01", "24-1-1", "٢٠٢٤-٠١-٠١"])
def test_a_day_that_there_is_not_is_said_by_no_document(day: str) -> None:
    source = made(texts=["{day}, {count}"], fields={"day": "date", "count": "count"})
    assert source.adopt("talk", {}, "Once.", json.dumps({"day": "2024-02-29", "count": 7})).key.startswith("talk: ")
    for said in ({"day": day, "count": 7}, *({"day": "2024-02-29", "count": n} for n in (-20, -1, 10**400))):
        assert not source.holds(source.adopt("talk", {}, "Once.", json.dumps(said)).key)


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        (
            {"texts": ["{name}"], "fields": {"name": "persn"}},
            r"field 'name' is of no kind 'persn'; did you mean 'person'",
        ),
        ({"texts": ["{name}"], "fields": {"name": []}}, r"needs texts that differ"),
        ({"texts": ["{nme}"], "fields": {"name": "person"}}, r"has a gap for 'nme'; did you mean 'name'"),
        ({"texts": ["{name} {name}"], "fields": {"name": "person"}}, r"has a field twice"),
        ({"texts": ["{name"], "fields": {"name": "person"}}, r"a brace that belongs to no column"),
        ({"texts": ["{a}"], "fields": {"a": "person", "b": "city"}}, r"field 'b' is in no text"),
        ({"texts": ["{a} {a.b}"], "fields": {"a": "person", "a.b": "city"}}, r"cannot be a value and hold 'a\.b'"),
        ({"texts": ["{a.}"], "fields": {"a.": "person"}}, r"has an empty name"),
        ({"texts": [], "fields": {"a": "person"}}, r"texts"),
    ],
)
def test_a_form_that_cannot_be_is_refused(form: dict[str, Any], reason: str) -> None:
    with pytest.raises(PartError, match=reason):
        made(**form)


def test_a_form_that_is_not_there_is_refused() -> None:
    with pytest.raises(PartError, match=r"no form 'tlak'; did you mean 'talk'\?; write \[source\.forms\.tlak\]"):
        make_source("documents", forms=FORMS).check("tlak", {})
