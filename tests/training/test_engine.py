import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from evolvent.memory.errors import UnavailableError
from evolvent.memory.inference import Request
from evolvent.memory.parts import PartSpec, known, load
from evolvent.training.engine import EnginePart
from evolvent.training.engines.vllm import Vllm
from evolvent.training.serving.host import Host, hosting

from ..endpoint import MODEL, Endpoint, serving
from .students import make_tasks, prepare

PACKAGE = "evolvent.training.engines"
PROMPTS = ("1+2", "31+45", "9*3", "74-21")
REAL = {"vllm": [pytest.mark.vllm]}
ENGINES = [pytest.param(name, marks=REAL.get(name, [])) for name in known(PACKAGE)]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with serving(Endpoint()) as served:
        yield served


def make_engine(name: str, endpoint: Endpoint) -> EnginePart:
    settings = {"base_url": endpoint.url, "model": MODEL} if name == "openai" else {}
    return load(PartSpec(name=name, settings=settings), base=EnginePart, package=PACKAGE, where="test")


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("student"), make_tasks(2))


@pytest.fixture(scope="module", autouse=True)
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Servers that engines need are started once."""
    with hosting(tmp_path_factory.mktemp("serving")) as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_answers_in_order_whatever_the_company(name: str, student: Path, endpoint: Endpoint) -> None:
    engine = make_engine(name, endpoint).open(student)
    together = asyncio.run(engine.answer([Request(p, 8) for p in PROMPTS]))
    alone = [asyncio.run(engine.answer([Request(p, 8)]))[0] for p in PROMPTS]
    assert together == alone
    assert asyncio.run(engine.answer([])) == []
    engine.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_agrees_with_its_own_complete_answers(name: str, student: Path, endpoint: Endpoint) -> None:
    engine = make_engine(name, endpoint).open(student)
    answers = asyncio.run(engine.answer([Request(p, 200) for p in PROMPTS]))
    whole = [(p, a.text) for p, a in zip(PROMPTS, answers, strict=True) if a.complete]
    assert asyncio.run(engine.agrees(whole)) == [True] * len(whole)
    assert asyncio.run(engine.agrees([(p, a.text + "x") for p, a in zip(PROMPTS, answers, strict=True)])) == [False] * 4
    engine.close()


@pytest.mark.slow
def test_sampling_is_fixed_by_its_seed(student: Path, endpoint: Endpoint) -> None:
    engine = make_engine("transformers", endpoint).open(student)

    def sample(seed: int) -> list[str]:
        requests = [Request(p, 12, temperature=1.0, seed=seed) for p in PROMPTS]
        return [a.text for a in asyncio.run(engine.answer(requests))]

    assert sample(0) == sample(0) != sample(1)


@pytest.mark.slow
def test_an_engine_without_a_student_says_what_is_missing(tmp_path: Path, endpoint: Endpoint) -> None:
    with pytest.raises(UnavailableError, match=r"no model.safetensors; a student is a folder of safetensors"):
        make_engine("transformers", endpoint).open(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param(n, marks=REAL.get(n, [])) for n in known(PACKAGE) if n != "scripted"])
def test_every_engine_with_a_model_sees_the_whole_conversation(name: str, student: Path, endpoint: Endpoint) -> None:
    engine = make_engine(name, endpoint).open(student)
    turns = Request("", 8, messages=({"role": "user", "content": "1+2"},))
    more = Request("1+2", 8, messages=({"role": "user", "content": "9*3"}, {"role": "assistant", "content": "72"}))
    plain, same, other = asyncio.run(engine.answer([Request("1+2", 8), turns, more]))
    assert plain == same
    assert name == "openai" or plain != other
    engine.close()


UNHEEDED = [
    ("scripted", Request("1+2", stop=(".",))),
    *((name, Request("1+2", samples=2)) for name in ("scripted", "transformers", "vllm")),
    *((name, Request("1+2", schema={})) for name in ("scripted", "transformers", "vllm")),
    *((name, Request("1+2", tools=({"type": "function"},))) for name in ("scripted", "transformers", "vllm")),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "request_"), UNHEEDED)
def test_an_engine_refuses_what_it_cannot_heed(name: str, request_: Request, student: Path, endpoint: Endpoint) -> None:
    part = Vllm(url="http://127.0.0.1:9") if name == "vllm" else make_engine(name, endpoint)
    (field,) = request_.extras()
    with pytest.raises(ValueError, match=rf"engine '{name}' cannot heed {field} = .*; use one that can"):
        asyncio.run(part.open(student).answer([request_]))


@pytest.mark.slow
@pytest.mark.vllm
def test_an_answer_of_vllm_ends_before_what_stops_it(student: Path, endpoint: Endpoint) -> None:
    engine = make_engine("vllm", endpoint).open(student)
    (whole,) = asyncio.run(engine.answer([Request("31+45", 12)]))
    end = whole.text[3]
    (cut,) = asyncio.run(engine.answer([Request("31+45", 12, stop=(end,))]))
    assert (cut.text, cut.complete) == (whole.text[: whole.text.index(end)], True)
    engine.close()
