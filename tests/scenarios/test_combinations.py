import pytest

from evolvent.memory.errors import PartError

from .builders import make_task, make_verifier

PARTS = ["numeric", {"name": "f1", "articles": []}]


@pytest.mark.parametrize(("name", "score"), [("all_of", 2 / 3), ("any_of", 1.0), ("weighted", 11 / 12)])
def test_a_combination_scores_what_follows_from_its_parts(name: str, score: float) -> None:
    settings = {"weights": [3, 1]} if name == "weighted" else {}
    verdict = make_verifier(name, parts=PARTS, **settings).judge(make_task(answer="12"), "makes 12")
    assert verdict.score == pytest.approx(score)
    assert verdict.reason.startswith("numeric 1; f1 0.667 (shares 1 of 1 words")


def test_a_part_without_weight_decides_nothing() -> None:
    weighted = make_verifier("weighted", parts=["numeric", "exact"], weights=[1, 0])
    assert weighted.judge(make_task(answer="12"), "makes 12").passed


def test_combinations_may_be_parts() -> None:
    inner = {"name": "any_of", "parts": ["exact", {"name": "regex", "pattern": "is {answer}$"}]}
    verifier = make_verifier("all_of", parts=["numeric", inner])
    assert verifier.judge(make_task(answer="12"), "it is 12").passed
    assert not verifier.judge(make_task(answer="12"), "so 12").passed


@pytest.mark.parametrize(
    ("name", "settings", "why"),
    [
        ("all_of", {"parts": []}, "at least 1"),
        ("all_of", {}, "needs 'parts'"),
        ("any_of", {"parts": ["exct"]}, r"parts.0: no verifier called 'exct'; .*did you mean 'exact'"),
        ("any_of", {"parts": ["exact", "regex"]}, r"parts.1: verifier 'regex' needs 'pattern'"),
        ("any_of", {"parts": ["os.path"]}, "allow it with --allow-import"),
        ("weighted", {"parts": ["exact"], "weights": [1, 2]}, "2 weights for 1 parts"),
        ("weighted", {"parts": ["exact"], "weights": [0]}, "one above 0"),
        ("weighted", {"parts": ["exact"], "weights": [float("nan")]}, "0 or more"),
    ],
)
def test_a_combination_that_cannot_be_is_refused(name: str, settings: dict[str, object], why: str) -> None:
    with pytest.raises(PartError, match=why):
        make_verifier(name, **settings)
