"""Reading many answers at once says what reading each by itself would."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evolvent.memory.talk import Talk
from evolvent.training.checkpoint import load
from evolvent.training.curation.likelihood import Reader
from evolvent.training.wording import Turn

from ..brought import make_model
from ..students import make_tasks, prepare

PAIRS = [("12+34", "46"), ("7*8 and so on", "56"), ("", "a longer answer than that"), ("12+34", "46"), ("9", "")]


@pytest.fixture(scope="module", params=["embedded", "llama", "gemma2", "without a template"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("model")
    if request.param == "embedded":
        return prepare(place, make_tasks(2))
    if request.param == "without a template":
        return make_model(place, template=None)
    return make_model(place, kind=request.param)


def one_by_one(folder: Path, turns: list[Turn]) -> list[np.ndarray[Any, Any]]:
    """Log-probabilities by one plain forward pass a turn."""
    import torch

    loaded: tuple[Any, Any] = load(folder)
    model = loaded[0].eval()
    found: list[np.ndarray[Any, Any]] = []
    for prompt, answer in turns:
        with torch.inference_mode():
            logs = model(torch.tensor([prompt + answer])).logits[0].double().log_softmax(-1)
        places = range(len(prompt) - 1, len(prompt) + len(answer) - 1)
        found.append(np.array([float(logs[i, t]) for i, t in zip(places, answer, strict=True)]))
    return found


def test_answers_are_as_likely_in_a_batch_as_alone(folder: Path) -> None:
    reader = Reader.open(folder, device="cpu")
    for logs, turns in (
        (reader.given(PAIRS), reader.turns(PAIRS)),
        (reader.alone([a for _, a in PAIRS]), reader.turns([("", a) for _, a in PAIRS])),
        (reader.whole(PAIRS), [Turn(p[:1], p[1:] + a) for p, a in reader.turns(PAIRS)]),
    ):
        expected = one_by_one(folder, turns)
        for found, wanted in zip(logs.split(), expected, strict=True):
            np.testing.assert_allclose(found, wanted, atol=2e-5)
        np.testing.assert_allclose(logs.sums_S, [w.sum() for w in expected], atol=1e-4)
        np.testing.assert_allclose(logs.means_S, [w.mean() for w in expected], atol=2e-5)


def test_equal_samples_are_exactly_equally_likely_and_no_samples_are_fine(folder: Path) -> None:
    reader = Reader.open(folder, device="cpu")
    means_S = reader.given(PAIRS).means_S
    assert means_S[0] == means_S[3]
    np.testing.assert_array_equal(reader.given(PAIRS[::-1]).means_S, means_S[::-1])
    assert len(reader.given([]).means_S) == len(reader.given([]).split()) == 0


def test_what_is_too_long_loses_the_beginning_of_the_question_then_the_end_of_the_answer(tmp_path: Path) -> None:
    reader = Reader.open(make_model(tmp_path, positions=16), device="cpu")
    long_question, long_answer = reader.turns([("1 " * 30, "2"), ("1 " * 30, "2" * 40)])
    assert len(long_question.prompt) + len(long_question.answer) == 16
    assert long_question.answer == reader.turns([("1", "2")])[0].answer
    assert (len(long_answer.prompt), len(long_answer.answer)) == (1, 15)
    assert np.isfinite(reader.given([("1 " * 30, "2" * 40)]).flat_T).all()


def test_a_conversation_is_read_with_its_turns(tmp_path: Path) -> None:
    reader = Reader.open(make_model(tmp_path), device="cpu")
    talk = Talk(messages=({"role": "user", "content": "12+34"},))
    np.testing.assert_array_equal(reader.given([(talk, "46")]).flat_T, reader.given([("12+34", "46")]).flat_T)
