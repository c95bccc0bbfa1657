"""How likely the given beginnings of an answer are, from every engine that can say so."""

import asyncio
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evolvent.memory.errors import PartError
from evolvent.memory.inference import Request
from evolvent.training.checkpoint import load
from evolvent.training.client.chances import read
from evolvent.training.client.fault import Fault
from evolvent.training.engines.openai import OpenAI
from evolvent.training.engines.scripted import Scripted
from evolvent.training.engines.transformers import Transformers
from evolvent.training.engines.vllm import Vllm
from evolvent.training.serving import address
from evolvent.training.tokenizer import CHARACTERS, SPECIAL
from evolvent.training.wording import Wording

from ..endpoint import MODEL, Endpoint, logprobs
from ..endpoint import serving as serving_chat
from .impostor import Impostor, serving
from .students import make_tasks, prepare

WORDS = {"yes": 0.6, "no": 0.3, "ma": 0.08, " yes": 0.02}


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("student"), make_tasks(2))


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    made.weigh = lambda prompt: WORDS if prompt == "good?" else {"no": 0.9, "yes": 0.1}
    with serving_chat(made) as served:
        yield served


def weigh(folder: Path, prompt: str, choice: str) -> float:
    """Chance of an answer's beginning, token by token."""
    import torch

    loaded: tuple[Any, Any] = load(folder)
    wording = Wording.read(folder, tokenizer=loaded[1])
    tokens, chance = wording.prompt(Request(prompt).conversation()), 1.0
    for token in wording.beginning(choice):
        with torch.inference_mode():
            chance *= float(loaded[0].eval()(torch.tensor([tokens])).logits[0, -1].double().softmax(-1)[token])
        tokens = [*tokens, token]
    return chance


def test_in_process_chances_are_those_of_the_model_however_many_tokens_a_choice_has(student: Path) -> None:
    engine = Transformers(device="cpu").open(student)
    asked = [Request("1+2", 1, choices=("3", "33", "no")), Request("9*3", 4), Request("5", 1, choices=("y",))]
    first, plain, last = asyncio.run(engine.answer(asked))
    np.testing.assert_allclose(first.chances, [weigh(student, "1+2", c) for c in ("3", "33", "no")], rtol=1e-4)
    np.testing.assert_allclose(last.chances, [weigh(student, "5", "y")], rtol=1e-4)
    assert plain == asyncio.run(engine.answer([Request("9*3", 4)]))[0]


def test_all_first_tokens_together_are_certain(student: Path) -> None:
    engine = Transformers(device="cpu").open(student)
    (said,) = asyncio.run(engine.answer([Request("1+2", 1, choices=(*CHARACTERS, *SPECIAL))]))
    assert math.isclose(sum(said.chances), 1.0, rel_tol=1e-5)


def test_an_endpoint_tells_chances_over_http(endpoint: Endpoint) -> None:
    model = OpenAI(base_url=endpoint.url, model=MODEL).serve("scorer")
    replies = asyncio.run(model.ask([Request(q, 1, choices=("yes", "no", "never")) for q in ("good?", "bad?")]))
    model.close()
    chances = [reply.completion.chances for reply in replies if reply.completion]
    np.testing.assert_allclose(chances, [[0.6, 0.3, 0.0], [0.1, 0.9, 0.0]])
    assert (endpoint.bodies[-1]["logprobs"], endpoint.bodies[-1]["top_logprobs"]) == (True, 20)


def test_an_endpoint_without_probabilities_gives_none_and_says_why(endpoint: Endpoint) -> None:
    endpoint.weigh = None
    model = OpenAI(base_url=endpoint.url, model=MODEL).serve("scorer")
    (reply,) = asyncio.run(model.ask([Request("good?", 1, choices=("yes",))]))
    model.close()
    assert reply.completion is None
    assert "tells no probabilities" in reply.reason


def test_a_choice_that_is_several_tokens_is_refused_rather_than_guessed() -> None:
    with pytest.raises(Fault, match=r"'maybe' is several tokens to this model, the first of them 'ma'"):
        read(logprobs(WORDS, 20), ["maybe"])
    assert read(logprobs({"yes": 0.99, "m": 0.01}, 20), ["maybe", "yes"]) == pytest.approx((0.0, 0.99))


@pytest.mark.parametrize("strange", [None, {}, {"content": []}, {"content": [{"top_logprobs": [{"token": "a"}]}]}])
def test_what_are_no_probabilities_is_never_taken_for_zero(strange: object) -> None:
    with pytest.raises(Fault, match="tells no probabilities"):
        read(strange, ["yes"])
    with pytest.raises(Fault, match="tells no probabilities"):
        read({"content": [{"top_logprobs": [{"token": "yes", "logprob": math.nan}]}]}, ["yes"])


def test_vllm_tells_what_the_model_in_process_does_of_the_likeliest(student: Path) -> None:
    requests = [Request(p, 1, choices=CHARACTERS) for p in ("1+2", "9*3")]
    mine = asyncio.run(Transformers(device="cpu").open(student).answer(requests))
    with serving(Impostor(student), address.new()) as served:
        engine = Vllm(url=served.url).open(student)
        theirs = asyncio.run(engine.answer(requests))
        with pytest.raises(ValueError, match=r"'vllm' weighs choices of one token; 'no' has 2; use 'transformers'"):
            asyncio.run(engine.answer([Request("1+2", 1, choices=("no",))]))
        engine.close()
    for one, other in zip(mine, theirs, strict=True):
        told = [(a, b) for a, b in zip(one.chances, other.chances, strict=True) if b > 0]
        assert 15 <= len(told) <= 20
        np.testing.assert_allclose(*zip(*told, strict=True), rtol=1e-4)
        assert min(b for _, b in told) >= max(a for a, b in zip(one.chances, other.chances, strict=True) if b == 0)


def test_an_engine_without_probabilities_refuses_to_be_asked_for_them(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"engine 'scripted' cannot heed choices = \('yes',\)"):
        asyncio.run(Scripted().open(tmp_path).answer([Request("1+2", choices=("yes",))]))


def test_a_model_in_this_process_works_as_scorer_and_as_nothing_else(student: Path) -> None:
    part = Transformers(device="cpu", model=str(student))
    model = part.serve("scorer")
    (reply,) = asyncio.run(model.ask([Request("1+2", 1, choices=("3",))]))
    assert reply.completion is not None
    np.testing.assert_allclose(reply.completion.chances, [weigh(student, "1+2", "3")], rtol=1e-4)
    with pytest.raises(PartError, match="serves checkpoints, not a judge"):
        part.serve("judge")
    with pytest.raises(PartError, match=r"as scorer needs a model; name a folder in \[models.scorer\]"):
        Transformers().serve("scorer")


def test_an_empty_choice_is_no_choice(student: Path) -> None:
    with pytest.raises(ValueError, match="a choice is empty"):
        asyncio.run(Transformers(device="cpu").open(student).answer([Request("1+2", 1, choices=("",))]))
