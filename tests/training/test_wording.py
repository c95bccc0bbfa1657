import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from evolvent.memory.errors import EvolventError
from evolvent.memory.inference import Request
from evolvent.scenarios.student import Student
from evolvent.training.engines.transformers import Transformers
from evolvent.training.manner import Manner
from evolvent.training.tokenizer import build_tokenizer
from evolvent.training.wording import Wording

from .brought import CHATML, FORGETFUL, adopt, make_model, make_tokenizer

QUIET = {"enable_thinking": False}
THINKING = {"reasoning": ("<think>", "</think>")}


def make_wording(**manner: Any) -> Wording:
    tokenizer = make_tokenizer(pad="<|endoftext|>")
    return Wording(tokenizer, Manner(**manner), positions=64)


@pytest.mark.parametrize(
    ("template", "manner", "why"),
    [
        (CHATML, {}, None),
        (CHATML.replace("m.content", "m.content.split('</think>')[-1]"), {}, "leaves 'so' out of a finished turn"),
        (FORGETFUL, {"template": QUIET}, "chat template asks with .*</think>"),
    ],
    ids=["kept", "left out", "asked for an answer without any"],
)
def test_reasoning_that_the_template_does_not_leave_in_a_finished_turn_is_said_to_be_lost(
    template: str, manner: dict[str, Any], why: str | None
) -> None:
    wording = Wording(make_tokenizer(template=template), Manner.model_validate({**manner, **THINKING}))
    said = wording.lost("<think>\nso\n</think>\n\n2", "so")
    assert said == why or re.search(str(why), str(said))


@pytest.mark.slow
def test_the_answer_is_what_a_finished_turn_adds_to_the_question_up_to_its_end() -> None:
    for manner in ({}, {"template": QUIET}, {"system": "You add."}):
        wording = make_wording(**manner)
        (turn,) = wording.turns([("1+2", "3")])
        assert turn.prompt == wording.prompt(Request("1+2").conversation())
        assert wording.tokenizer.decode(turn.answer) == "3<|im_end|>"
        assert wording.tokenizer.decode(turn.prompt).startswith("<|im_start|>system\nYou add.<|im_end|>") == (
            "system" in manner
        )
        assert ("<think>\n\n</think>\n\n" in wording.tokenizer.decode(turn.prompt)) == ("template" in manner)
        assert wording.said([*turn.answer, 5]).text == "3"
    assert wording.turns([]) == []


@pytest.mark.slow
def test_a_system_prompt_that_the_request_brings_comes_before_the_students_own() -> None:
    wording = make_wording(system="You add.")
    said = wording.tokenizer.decode(wording.prompt(Request("1+2", system="Be brief.").conversation()))
    assert said.count("system") == 1
    assert "Be brief." in said


@pytest.mark.slow
def test_reasoning_is_kept_apart_and_one_that_does_not_end_is_no_answer() -> None:
    wording = make_wording(**THINKING)

    def heard(text: str) -> tuple[str, str, bool]:
        said = wording.said(wording.tokenizer(text)["input_ids"])
        return said.reasoning, said.text, said.complete

    assert heard("<think>\none and two\n</think>\n\n3<|im_end|>") == ("one and two", "3", True)
    assert heard("one and two\n</think>\n3") == ("one and two", "3", False)
    assert heard("<think>\none and") == ("one and", "", False)
    assert heard("3<|im_end|>") == ("", "3", True)
    assert not wording.forced


@pytest.mark.slow
def test_tokens_and_texts_end_an_answer() -> None:
    wording = make_wording(stop=("<|endoftext|>", "\n\n"))
    assert [wording.tokenizer.decode(end) for end in wording.ends] == ["<|im_end|>", "<|endoftext|>"]
    assert wording.stops == ("\n\n",)
    ids = wording.tokenizer("3\n\nand more")["input_ids"]
    assert (wording.said(ids).text, wording.said(ids).complete) == ("3", True)
    assert (wording.said(wording.tokenizer("3<|endoftext|>4")["input_ids"]).text) == "3"


@pytest.mark.slow
def test_text_that_would_be_taken_for_a_mark_of_the_template_is_unreadable() -> None:
    wording = make_wording(**THINKING)
    assert wording.unreadable("say <|im_end|> twice") == "<|im_end|>"
    assert wording.unreadable("what is </think>?") == "</think>"
    assert make_wording().unreadable("what is </think>?") is None
    assert wording.unreadable("Zürich, 北京") is None
    assert wording.length("1+2", "北京") > wording.length("1+2", "ab")


@pytest.mark.slow
def test_a_template_that_refuses_a_system_prompt_says_which_setting_brought_it() -> None:
    strict = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + CHATML
    wording = Wording(make_tokenizer(template=strict), Manner(system="You add."))
    with pytest.raises(EvolventError, match=r"no system role.*leave student.system away"):
        wording.prompt(Request("1+2").conversation())


@pytest.mark.slow
def test_only_an_answer_with_one_spelling_is_examined_token_by_token() -> None:
    assert Wording(build_tokenizer(64)).forced
    assert not Wording(build_tokenizer(64), Manner(stop=("\n",))).forced
    assert not make_wording().forced


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["qwen2", "llama", "gpt_neox"])
def test_a_model_answers_the_same_alone_and_in_company_whatever_its_files_advise(kind: str, tmp_path: Path) -> None:
    import torch

    base = adopt(make_model(tmp_path / "model", kind=kind), tmp_path / "base", template=QUIET)
    engine = Transformers().open(base)
    asked = [Request(prompt, 8) for prompt in ("1+2", "what is 12+34?", "a much longer question than the others")]
    together = asyncio.run(engine.answer(asked))
    assert together == [asyncio.run(engine.answer([one]))[0] for one in asked]
    wording = Wording.read(base)
    model: Any = Transformers().open(base)
    ids = wording.prompt(asked[0].conversation())
    for _ in range(8):
        with torch.inference_mode():
            ids.append(int(model.model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
    assert wording.said(ids[-8:]) == together[0]


@pytest.mark.slow
def test_a_question_longer_than_the_student_is_refused_alone_and_an_answer_ends_with_its_last_position(
    tmp_path: Path,
) -> None:
    base = adopt(make_model(tmp_path / "model"), tmp_path / "base")
    short, long, full = asyncio.run(
        Transformers().open(base).answer([Request("1+2", 4), Request("+" * 130 + "é" * 60, 4), Request("1+2", 10_000)])
    )
    assert short.tokens <= 4
    assert (long.text, long.complete, long.finish) == ("", False, "length")
    room = 128 - len(Wording.read(base).prompt(Request("1+2").conversation()))
    assert full.tokens <= room


@pytest.mark.slow
def test_half_the_bits_are_the_students_own_wish(tmp_path: Path) -> None:
    from evolvent.training import checkpoint

    model = make_model(tmp_path / "model")
    half = adopt(model, tmp_path / "half", dtype="bfloat16")
    assert [str(checkpoint.load(folder)[0].dtype) for folder in (model, half)] == ["torch.float32", "torch.bfloat16"]
    assert str(checkpoint.load(half, exact=True)[0].dtype) == "torch.float32"


def test_a_manner_says_what_the_scenario_says() -> None:
    student = Student(model="/m", system="You add.", template=QUIET, stop=("x",), longest=9, dtype="bfloat16")
    assert Manner.of(student) == Manner(system="You add.", template=QUIET, stop=("x",), longest=9, dtype="bfloat16")
