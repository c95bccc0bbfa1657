import json
from typing import Any

import pytest

from evolvent.memory.errors import PartError

from .builders import make_task, make_verifier
from .cases import PERSON

ANN = '{"name": "Ann", "age": 3}'


@pytest.mark.parametrize(
    ("answer", "passed", "why"),
    [
        ('{"age": 3.0, "name": "Ann"}', True, ""),
        (f"Here:\n```json\n{ANN}\n```\nThat is all.", True, ""),
        ('{"name": "Ann", "age": 4}', False, "expected"),
        ('{"name": "Ann"}', False, "does not fit at $: 'age' is a required property"),
        ('{"name": "Ann", "age": "3"}', False, "does not fit at $.age"),
        ('{"name": "Ann", "age": true}', False, "does not fit at $.age"),
        ('{"name": "Ann", "age": 3, "age": 3}', False, "twice"),
        ('{"name": "Ann", "age": NaN}', False, "NaN is no JSON"),
        ("[" * 100_000, False, "nested too deep"),
        ("Ann, 3", False, "is no JSON"),
        ('"' + "x" * 300_000, False, "longer than 200,000"),
    ],
)
def test_an_answer_has_to_be_json_that_fits_and_says_the_same(answer: str, passed: bool, why: str) -> None:
    verdict = make_verifier("json_schema", definition=PERSON).judge(make_task(answer=ANN), answer)
    assert (verdict.passed, why in verdict.reason) == (passed, True), verdict


@pytest.mark.parametrize(
    ("reference", "answer", "passed"),
    [
        ({"a": [1, {"b": 2}]}, {"a": [{"b": 2, "c": 3}, 1, 5], "d": 4}, True),
        ({"a": [1, 1]}, {"a": [1, 2]}, False),
        ({"a": 1}, {"b": 1}, False),
        ([1], {"a": 1}, False),
        ({"a": 1}, {"a": True}, False),
    ],
)
def test_contains_wants_all_of_the_reference_and_allows_more(reference: Any, answer: Any, passed: bool) -> None:
    verifier = make_verifier("json_schema", compare="contains")
    assert verifier.judge(make_task(answer=json.dumps(reference)), json.dumps(answer)).passed == passed


def test_without_a_comparison_whatever_fits_is_right() -> None:
    verifier = make_verifier("json_schema", definition=PERSON, compare="none")
    assert verifier.judge(make_task(answer="none"), '{"name": "Bo", "age": 9}').passed


def test_a_tasks_own_schema_goes_before_the_setting() -> None:
    task = make_task(answer="[1]").model_copy(update={"checks": '{"type": "array", "maxItems": 1}'})
    assert make_verifier("json_schema", definition=PERSON).judge(task, "[1]").passed
    assert "is too long" in make_verifier("json_schema").judge(task, "[1, 2]").reason


@pytest.mark.parametrize(
    ("checks", "answer", "why"),
    [
        ("{", "1", "its checks are no JSON Schema"),
        ('{"type": "arry"}', "1", "its checks are no JSON Schema: not a JSON Schema: 'arry'"),
        ('{"type": "array"}', "1", "its reference answer does not fit"),
        ('{"$ref": "http://localhost:9/schema"}', "1", "refers to 'http://localhost:9/schema', which is not within it"),
    ],
)
def test_a_schema_that_cannot_decide_is_a_bug(checks: str, answer: str, why: str) -> None:
    with pytest.raises(ValueError, match=r"^task 'add:5,7'|^the schema") as raised:
        make_verifier("json_schema").judge(make_task(answer=answer).model_copy(update={"checks": checks}), answer)
    assert why in str(raised.value)


def test_a_setting_that_is_no_schema_is_refused() -> None:
    with pytest.raises(PartError, match="verifier 'json_schema': definition: not a JSON Schema: 'strng'"):
        make_verifier("json_schema", definition={"type": "strng"})
