import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from evolvent.memory.budget import Budget, Purse
from evolvent.memory.errors import PartError, UnavailableError
from evolvent.memory.inference import Request
from evolvent.memory.parts import PartSpec, load
from evolvent.memory.responses import Responses
from evolvent.memory.spans import Spans
from evolvent.memory.trace import Trace, recording, span
from evolvent.training.client.greeting import CANARY
from evolvent.training.engine import EnginePart
from evolvent.training.engines.openai import OpenAI

from ..endpoint import MODEL, Endpoint, serving

GREETINGS = 1
"""Calls made at the start to see that the endpoint answers."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving(Endpoint()) as served:
        yield served


def make_part(endpoint: Endpoint, **settings: object) -> OpenAI:
    return OpenAI.model_validate({"base_url": endpoint.url, "model": MODEL, "deadline": 0.5, **settings})


def test_agreement_is_decided_by_generating(endpoint: Endpoint, tmp_path: Path) -> None:
    engine = make_part(endpoint).open(tmp_path)
    assert asyncio.run(engine.agrees([("1+2", "3"), ("1+2", "4"), ("hello", "hello")])) == [True, False, True]
    engine.close()


def test_everything_a_request_asks_reaches_the_server(endpoint: Endpoint, tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "f"}}
    engine = make_part(endpoint).open(tmp_path)
    asked = Request(
        "b", 9, 0.7, 3, system="s", messages=({"role": "user", "content": "a"},), stop=(".",), samples=2, top_p=0.9,
        tools=(tool,), schema=CANARY,
    )  # fmt: skip
    said = asyncio.run(engine.answer([asked]))[0]
    engine.close()
    body = endpoint.bodies[-1]
    assert [turn["content"] for turn in body["messages"]] == ["s", "a", "b"]
    assert (body["max_tokens"], body["temperature"], body["seed"], body["top_p"]) == (9, 0.7, 3, 0.9)
    assert (body["stop"], body["n"], body["tools"]) == (["."], 2, [tool])
    assert body["response_format"]["json_schema"]["schema"] == CANARY
    assert (said.text, len(said.others), said.finish) == ('{"plumage": "vermilion"}', 1, "stop")


def test_an_exam_with_a_hole_is_no_exam_and_costs_only_the_hole_when_it_goes_on(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    requests = [Request(f"{i}+1") for i in range(5)]
    responses = Responses(tmp_path / "r.sqlite")
    engine = make_part(endpoint, most=1).connect(Purse(Budget(), clock=time.monotonic), responses)
    endpoint.faults = ["", "400"]
    with pytest.raises(UnavailableError, match="no answer to 1 of 5 requests, the first because: 400"):
        asyncio.run(engine.answer(requests))
    assert [a.text for a in asyncio.run(engine.answer(requests))] == ["1", "2", "3", "4", "5"]
    assert len(endpoint.bodies) == GREETINGS + 5 + 1
    engine.close()
    responses.close()


def test_a_request_that_comes_to_nothing_is_data_where_the_endpoint_answers_others(endpoint: Endpoint) -> None:
    model = make_part(endpoint, most=1).serve("teacher")
    endpoint.faults = ["400"]
    (reply,) = asyncio.run(model.ask([Request("1+1")]))
    model.close()
    assert reply.completion is None
    assert reply.reason.startswith("400")


@pytest.mark.parametrize("fault", ["400", "500", "wrong schema", "10 MB"])
def test_requests_that_come_to_nothing_are_not_given_up_where_the_endpoint_answers_none(
    fault: str, endpoint: Endpoint
) -> None:
    model = make_part(endpoint, tries=1).serve("teacher")
    endpoint.always = fault
    with pytest.raises(
        UnavailableError, match=r"1 of 1 requests came to nothing, .*; mend that, then `evolvent resume`"
    ):
        asyncio.run(model.ask([Request("1+1", schema=CANARY)]))
    model.close()


@pytest.mark.parametrize("fault", ["400", "500", "hang", "drip", "html", "no choices", "10 MB"])
def test_an_endpoint_that_does_not_answer_is_said_at_the_start(fault: str, endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.always = fault
    since = time.monotonic()
    with pytest.raises(UnavailableError, match=r"gave no answer of model 'tester'.*try: curl http") as caught:
        make_part(endpoint, tries=1).open(tmp_path)
    assert caught.value.exit_code == 4
    assert time.monotonic() - since < 1.5


@pytest.mark.parametrize("fault", ["429", "429 after 0.3", "500", "reset"])
def test_a_passing_trouble_at_the_start_ends_no_session(fault: str, endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.faults = [fault]
    make_part(endpoint, tries=2).open(tmp_path).close()
    assert len(endpoint.bodies) == GREETINGS + 1


@pytest.mark.parametrize("fault", ["401", "429 after an hour"])
def test_what_only_a_person_can_mend_is_said_at_the_start(fault: str, endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.always = fault
    with pytest.raises(UnavailableError, match=rf"model 'tester' at http.*: .*{fault[:3]} .*; mend that"):
        make_part(endpoint).open(tmp_path)
    assert len(endpoint.bodies) == 1


@pytest.mark.parametrize("listed", [[], {"data": True}, {"data": [True]}, 7])
def test_a_list_of_models_that_is_none_decides_nothing(listed: object, endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.listed = listed
    make_part(endpoint).open(tmp_path).close()


def test_names_of_models_are_shown_without_what_a_terminal_would_obey(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.listed = {"data": [{"id": "\x1b]0;owned"}]}
    with pytest.raises(UnavailableError) as caught:
        make_part(endpoint).open(tmp_path)
    assert r"it serves: \x1b]0;owned" in str(caught.value)


@pytest.mark.slow
def test_an_endpoint_that_is_not_there_is_said_at_the_start(tmp_path: Path) -> None:
    with serving(Endpoint()) as endpoint:
        pass
    with pytest.raises(UnavailableError, match="is the server up"):
        make_part(endpoint).open(tmp_path)


def test_a_model_that_is_not_served_is_named_with_those_that_are(endpoint: Endpoint, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="serves no model 'testr'; it serves: tester; did you mean 'tester'"):
        make_part(endpoint, model="testr").open(tmp_path)


def test_a_model_list_that_changes_under_a_session_ends_it(endpoint: Endpoint, tmp_path: Path) -> None:
    engine = make_part(endpoint).open(tmp_path)
    asyncio.run(engine.answer([Request("1+2")]))
    endpoint.model = "successor"
    with pytest.raises(UnavailableError, match="answered as 'tester' and now answers as 'successor'"):
        asyncio.run(engine.answer([Request("1+3")]))
    engine.close()


@pytest.mark.parametrize("binds", [True, False])
def test_a_schema_that_does_not_bind_is_found_where_one_is_needed(binds: bool, tmp_path: Path) -> None:
    with serving(Endpoint(binds=binds)) as endpoint:
        make_part(endpoint).open(tmp_path).close()
        if binds:
            make_part(endpoint, structured=True).open(tmp_path).close()
            return
        with pytest.raises(UnavailableError, match="does not keep to a JSON schema"):
            make_part(endpoint, structured=True).open(tmp_path)


def test_the_key_comes_from_the_environment_by_name(
    endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EVOLVENT_TEST_KEY", raising=False)
    part = make_part(endpoint, key="EVOLVENT_TEST_KEY")
    with pytest.raises(UnavailableError, match="'EVOLVENT_TEST_KEY' holds no key"):
        part.open(tmp_path)
    monkeypatch.setenv("EVOLVENT_TEST_KEY", "sk-canary-0123456789")
    engine = part.open(tmp_path)
    engine.close()
    assert endpoint.headers[-1]["Authorization"] == "Bearer sk-canary-0123456789"
    assert "sk-canary" not in f"{part!r}{part.describe()}{vars(engine)}"


def test_several_addresses_share_the_work_and_one_that_breaks_down_costs_no_answer(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    with serving(Endpoint()) as second:
        engine = make_part(endpoint, base_url=[endpoint.url, second.url], first=4, most=4).open(tmp_path)
        second.always = "500"
        said = asyncio.run(engine.answer([Request(f"item {i}") for i in range(60)]))
        engine.close()
    assert [a.text for a in said] == [f"item {i}" for i in range(60)]
    assert len(second.bodies) > GREETINGS


def test_every_call_is_a_span_with_its_tokens_under_the_step_that_asked(
    endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LETTER", "sk-canary-0123456789")
    with recording(Trace(tmp_path / "trace.sqlite")):
        engine = make_part(endpoint, key="LETTER", tries=1).connect(Purse(Budget(), clock=time.monotonic), role="judge")
        endpoint.faults = ["", "400"]
        with span("step", note="sk-canary-0123456789"):
            asyncio.run(engine.ask([Request("1+2"), Request("2+2"), Request("1+2")]))
        engine.close()
    answer = Spans.open(tmp_path / "trace.sqlite")
    (step,) = [s for s in answer.roots() if s.name == "step"]
    batch, *greeting = answer.children(step.id)
    calls = answer.children(batch.id)
    assert {s.name for s in greeting} <= {f"chat {MODEL}"}
    assert (step.attributes, batch.name) == ({"note": "***"}, "answer")
    assert [(c.name, c.status) for c in calls if c.status == "ok"] == [(f"chat {MODEL}", "ok")]
    assert sorted(c.status for c in calls) == ["Fault", "ok"]
    known = next(c.attributes for c in calls if c.status == "ok")
    assert (known["gen_ai.provider.name"], known["gen_ai.request.model"], known["role"]) == ("openai", MODEL, "judge")
    assert known["gen_ai.usage.output_tokens"] > 0
    assert len(known["answer"]) == 64


@pytest.mark.parametrize(
    "url", ["localhost:8000/v1", "http://key@host/v1", "http://host/v1?api-version=3", "http://host/v1#a", "http://"]
)
@pytest.mark.parametrize("several", [False, True])
def test_an_address_that_is_none_is_said_with_one_that_is(url: str, several: bool) -> None:
    given = ["http://localhost:8000/v1", url] if several else url
    spec = PartSpec(name="openai", settings={"base_url": given, "model": MODEL})
    with pytest.raises(PartError, match=r"base_url: .*is no address of an endpoint; write http://") as refused:
        load(spec, base=EnginePart, package="evolvent.training.engines", where="x.toml")
    assert repr(url) in str(refused.value)
