import json
import math
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .builders import make_task, make_verifier

GRADES = {"a": 3, "b": 2, "c": 0, "d": 1}


def brute(grades: dict[str, int], order: list[str], k: int) -> float:
    """By the definition, with the best order found by trying them all."""

    def worth(names: tuple[str, ...]) -> float:
        return sum((2 ** grades.get(name, 0) - 1) / math.log(i + 1, 2) for i, name in enumerate(names[:k], start=1))

    return worth(tuple(order)) / max(map(worth, permutations(grades)))


@given(st.permutations([*GRADES, "x"]), st.integers(1, 6))
def test_an_order_scores_its_ndcg(order: list[str], k: int) -> None:
    verdict = make_verifier("ranking", k=k).judge(make_task(answer=json.dumps(GRADES)), json.dumps(order))
    assert verdict.score == pytest.approx(brute(GRADES, order, k))


def test_gains_may_be_the_grades() -> None:
    score = make_verifier("ranking", gain="linear", k=2).judge(make_task(answer=json.dumps(GRADES)), '["b", "a"]').score
    assert score == pytest.approx((2 + 3 / math.log2(3)) / (3 + 2 / math.log2(3)))


@pytest.mark.parametrize(
    "answer",
    [
        "a, b, d",
        "a > b > d > c",
        "1. a\n2. b\n3. d",
        "- a\n- b\n- d",
        '```json\n["a", "b", "d"]\n```',
        '{"a": 0.9, "d": 0.1, "b": 0.5}',
    ],
)
def test_an_order_is_read_as_people_write_it(answer: str) -> None:
    assert make_verifier("ranking").judge(make_task(answer=json.dumps(GRADES)), answer).passed


def test_a_name_that_comes_again_counts_once() -> None:
    verifier, task = make_verifier("ranking"), make_task(answer=json.dumps(GRADES))
    assert verifier.judge(task, "d, d, d, d").score == verifier.judge(task, "d").score


@pytest.mark.parametrize("answer", ['{"a": 0}', '{"a": -1, "b": 2}', '{"a": "good"}', "{}", '{"a": 1e9}'])
def test_a_reference_that_prefers_nothing_is_a_bug(answer: str) -> None:
    with pytest.raises(ValueError, match="has no grade above 0"):
        make_verifier("ranking").judge(make_task(answer=answer), "a")
