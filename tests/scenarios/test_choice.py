import pytest

from evolvent.memory.errors import PartError

from .builders import make_task, make_verifier


@pytest.mark.parametrize(
    "answer",
    [
        "B",
        "b",
        " (B) ",
        "**B**",
        "B.",
        "The answer is B.",
        "The answer is (B), since A is too small.",
        "Answer: B",
        r"So \boxed{B}",
        r"\boxed{\text{B}}",
        "B) the second one",
        "A is too small and C too large.\nB. It fits.",
        "First I thought the answer is A. In the end the answer is B",
        "It must be (B).",
        "Option B",
    ],
)
def test_the_option_that_an_answer_settles_on_is_found(answer: str) -> None:
    assert make_verifier("choice").judge(make_task(answer="B"), answer).passed


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "A",
        "A bee",
        "Answer: A",
        "A, B, C or D",
        "(A) or (B)",
        "(A) (B) (C) (D)",
        "Be careful",
        "AB",
        "The answer is Bob",
    ],
)
def test_an_answer_that_settles_on_none_or_another_is_wrong(answer: str) -> None:
    verdict = make_verifier("choice").judge(make_task(answer="B"), answer)
    assert not verdict.passed
    assert verdict.reason


def test_options_may_be_numbers() -> None:
    verifier = make_verifier("choice", options=["1", "2", "10"])
    assert verifier.judge(make_task(answer="10"), "The answer is 10").passed
    assert not verifier.judge(make_task(answer="10"), "The answer is 1").passed


def test_a_reference_that_is_no_option_is_a_bug() -> None:
    with pytest.raises(ValueError, match=r"reference answer 'Z' is none of A, B"):
        make_verifier("choice").judge(make_task(answer="Z"), "A")


@pytest.mark.parametrize("options", [["A"], ["A", "a"], ["A", " "]])
def test_options_have_to_differ(options: list[str]) -> None:
    with pytest.raises(PartError, match="needs two options or more"):
        make_verifier("choice", options=options)
